package tui

import (
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/spec"
)

// player makes events of bytes: keys above all, texts that lead on, answers of
// a host at the right time and at the wrong one, sizes.
type player struct {
	t *testing.T
	*stage
	agreed *plan.Plan // the plan that an Install named
	ended  bool       // an install ended well
}

var texts = []string{"node1", "edge1", "10.20.0.31/24", "10.20.0.1", "2026-11-25 12:00", "ops", sshKey, "Ops?", "0.0.0.0/0", "", "名\x1b[2J", "none", static, dhcp,
	"control-plane", "worker", "banana", "reboot", "poweroff", "42", "9000", "-1", bonded, spec.BondLACP, "10.20.0.1 ntp.x", "nx0n", "NX0N", "0016", "/dev/disk/by-id/ata-Old_16", "/dev/disk/by-id/nvme-Acme_SSD_512_S4EWNX0N"}

var fieldIDs = []Field{FieldRole, FieldDisk, FieldInterface, cardWord + "eno1", cardWord + "eno2", FieldBond, FieldTaken, FieldMode, FieldAddress, FieldGateway, FieldName, FieldAfter, FieldClock, FieldUser, FieldKey,
	FieldLarge, FieldTyped, FieldPhrase, FieldVLAN, FieldMTU, FieldNTP, FieldPassword, FieldAgain, "continue", "unset", "keys", "open", FieldShow, "install", "check", "save", "back", "again", "log", "rescan", "watch", "set", "close", "onward", "bundle", "shell", "reboot", "poweroff", "without"}

func (p *player) play(a, b byte) {
	t := func(n int) string { return texts[int(b)%n] }
	var ev Event
	switch {
	case a < 100:
		ev = Key{Kind: KeyKind(int(a)%int(KeyInterrupt+1) + 0), Rune: rune(b)}
	case a < 110:
		ev = Key{Rune: []rune("az09?- ./:\x00\x1b\u0301名é")[int(b)%15]}
	case a < 150:
		ev = Fill{fieldIDs[int(a)%23], t(len(texts))}
	case a < 160:
		ev = Press{fieldIDs[int(b)%len(fieldIDs)]}
	case a < 200: // what is right, to get on
		page := p.w.page()
		ev = Press{"continue"}
		if p.w.step == confirm && p.w.over == nothing {
			ev = Press{"install"}
			if b < 128 {
				ev = Fill{FieldTyped, consentFor(p.w.plan.Disk).typed}
			}
		} else if p.w.step == secretsPage && p.w.over == nothing && b < 128 {
			ev = Press{"open"}
		} else if len(page.fields) > 0 {
			if f := page.fields[int(b)%len(page.fields)]; f.kind == text {
				right := map[Field]string{FieldName: "edge1", FieldAddress: "10.20.0.31/24", FieldGateway: "10.20.0.1", FieldUser: "ops", FieldKey: sshKey, FieldTyped: "nx0n", FieldPhrase: installtest.Passphrase, FieldPassword: word, FieldAgain: word}
				ev = Fill{f.id, right[f.id]}
			} else if f.kind == choice {
				ev = Press{f.id}
			}
		}
	case a < 210:
		ev = Resized{Width: int(b) * 2, Height: int(a) % 60, Large: b&1 == 1}
	case a < 213:
		p.taken = []string{"10.20.0.31", ""}[int(b)%2]
		return
	case a < 220:
		ev = Tick{p.now.AddDate(0, 0, int(int8(b)))}
	default:
		ev = []Event{MediumProgress{int64(b), 100}, MediumOK{p.facts}, MediumFailed{errors.New("x")}, MediumFailed{}, Rescanned{Err: errors.New("x")},
			Planned{Number: p.w.number, Err: errors.New("x")}, Planned{Number: int(b)}, InstallEvent{event.Event{Name: "step", Step: int(b) - 9, Size: int64(b)}},
			InstallEvent{event.Event{Name: "progress", Done: int64(b) * 9, Size: int64(b) - 3, Message: t(len(texts))}}, Installed{Err: errors.New("x")},
			Installed{}, SecretsOpened{Number: int(b)}, SecretsOpened{Number: p.w.seal.try, Err: errors.New("x")}, Saved{Err: errors.New("x")}, Saved{}, Bundled{}, ClockSet{}, Left{errors.New("x")}, Links{}, Links{map[string]bool{"eno1": b < 128, "eno2": b&4 > 0}},
			AddressAsked{Network: spec.NodeNetwork{Interface: "eno1", Address: "10.20.0.31/24"}, Err: errors.New("x")}, AddressAsked{}, Watched{}, Watched{errors.New("x")}, Hashed{Number: p.w.password.try, Err: errors.New("x")}, Hashed{Number: p.w.password.try, Hash: "plain"}}[int(b)%26]
	}
	p.give(ev)
}

// give is stage.send under the eyes of the rules.
func (p *player) give(ev Event) {
	before := p.w
	var effects []Effect
	p.w, effects = p.w.Update(ev)
	for _, e := range effects {
		p.rule(before, e)
		if _, leaves := e.(Leave); leaves {
			p.give(Left{errors.New("cannot restart")})
		}
		for _, answer := range p.answer(e) {
			p.give(answer)
		}
	}
	if in, ok := ev.(Installed); ok && before.step == progress {
		p.ended = in.Err == nil
	}
	if p.w.step >= progress && p.agreed == nil {
		p.t.Fatalf("at step %d and nobody agreed", p.w.step)
	}
	if p.w.step == done && !p.ended {
		p.t.Fatal("done, and no install ended well")
	}
	if (p.w.step == confirm) && p.w.plan == nil {
		p.t.Fatal("asks for consent to no plan")
	}
}

// rule is what must be true of each effect.
func (p *player) rule(before Wizard, e Effect) {
	switch e := e.(type) {
	case Install:
		want := before.plan
		if before.step != confirm || want == nil || e.Plan.ID != want.ID {
			p.t.Fatalf("installs at step %d a plan that was not on the screen", before.step)
		}
		typed := before.draft.get(FieldTyped)
		if c := consentFor(want.Disk); len(typed) < len(c.typed) || e.Erase != c.erase {
			p.t.Fatalf("installs with %q typed and consent %q, need %+v", typed, e.Erase, c)
		}
		if _, err := plan.Confirm(e.Plan, e.Erase); err != nil {
			p.t.Fatalf("consent that is none: %v", err)
		}
		if e.Plan.Secrets() != nil && !before.seal.open {
			p.t.Fatal("installs with sealed secrets that nobody opened")
		}
		p.agreed = want
	case Plan:
		whole, err := spec.Complete(p.facts.Enclave, e.Answers)
		if err != nil || whole.Name == "" || whole.Confirm.Erase != "" {
			p.t.Fatalf("impossible answers %+v: %v", e.Answers, err)
		}
		// The wizard after the event is the one that asked for this plan.
		if p.w.takenError() != nil || p.w.asks(false) {
			p.t.Fatalf("plans for an address that somebody has, or that nobody asked for: %+v", e.Answers.Network)
		}
		if at := p.facts.Places[e.Answers.Role]; at.Err != nil && e.Answers.Node == "" && !p.facts.names(e.Answers.Name) {
			p.t.Fatalf("plans for a %s, which this medium cannot set up: %v", e.Answers.Role, at.Err)
		}
		if d := before.draft.get(FieldDisk); p.facts.Refused[d] != "" {
			p.t.Fatalf("plans for the disk %s, which is refused", d)
		}
	case SaveAnswers:
		if err := spec.ValidateAnswers(e.Answers); err != nil {
			p.t.Fatalf("saves impossible answers %+v: %v", e.Answers, err)
		}
		if e.Answers.Confirm.Erase != "" && p.agreed == nil {
			p.t.Fatal("saves consent that nobody gave")
		}
	}
}

func (p *player) look(w, h int, c byte) {
	s := p.w.View(Canvas{Width: w, Height: h, ASCII: c&1 == 1, Large: c&2 == 2, Colour: Colours(c >> 2 & 1)})
	if len(s.Rows) != max(1, min(h, 1000)) {
		p.t.Fatalf("%d rows of %d", len(s.Rows), h)
	}
	for _, r := range s.Rows {
		if cells(r) > max(1, w) {
			p.t.Fatalf("a row of %d cells on %d: %q", cells(r), w, flat(r))
		}
	}
}

func FuzzWizard(f *testing.F) {
	f.Add([]byte{190, 0, 190, 0, 190, 0, 190, 0, 190, 0, 190, 1, 190, 2, 190, 0})
	f.Add([]byte("any bytes will do"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &player{t: t, stage: enact(t, rugged(t), installtest.Spec)}
		if m := len(data) % (len(media) + 1); m < len(media) {
			p.stage = mediumOf(t, m)
		}
		for i := 0; i+1 < len(data) && i < 600; i += 2 {
			p.play(data[i], data[i+1])
			if i%16 == 0 {
				p.look(int(data[i])*2, int(data[i+1]), data[i])
			}
		}
	})
}

// events is how many a play of the tests has.
func events() int {
	if n, err := strconv.Atoi(os.Getenv("EVENTS")); err == nil {
		return n
	}
	return 20000
}

// TestManyEvents is the fuzzer's play with a seed, so that it is played in every
// run of the tests; EVENTS=1000000 makes it longer.
func TestManyEvents(t *testing.T) {
	n := events()
	r := rand.New(rand.NewPCG(1, 2))
	var starts []stage // plays begin here and there, to get everywhere
	for _, way := range [][]string{nil, toNetwork, toReview, toConfirm, {"given " + whole}, {"given no: field"}} {
		starts = append(starts, *shot(t, way))
		sealed := enact(t, rugged(t), installtest.SealedSpec)
		sealed.do(t, way...)
		starts = append(starts, *sealed)
	}
	own := len(starts) // the others are media of whole profiles
	for i := range media {
		for _, way := range [][]string{nil, toRole, {"given " + whole}, {"given " + strings.Replace(whole, "role: control-plane", "role: worker", 1)}} {
			s := mediumOf(t, i)
			s.do(t, way...)
			starts = append(starts, *s)
		}
	}
	agreed, ended, roles := 0, 0, map[string]int{}
	for n > 0 {
		start := r.IntN(len(starts))
		s := starts[start]
		p := &player{t: t, stage: &s}
		for range 500 {
			p.play(byte(r.Uint32()), byte(r.Uint32()))
			if n--; n%50 == 0 {
				p.look(r.IntN(200), r.IntN(80), byte(r.Uint32()))
			}
		}
		if p.agreed != nil {
			agreed++
			if start >= own {
				roles[p.facts.Enclave.Kubernetes.Profile+": "+box(p.w.draft.node != "", "of the roster", p.facts.called(p.agreed.Role))]++
			}
		}
		if p.ended {
			ended++
		}
	}
	if agreed == 0 || ended == 0 {
		t.Errorf("%d plays agreed and %d ended: the play does not get far enough to prove anything", agreed, ended)
	}
	for _, want := range []string{"kubeadm: control-plane", "kubeadm: worker", "rke2-cis: control-plane", "rke2-cis: join a control-plane", "rke2-cis: worker", "k3s-edge: rugged edge", "k3s-edge: worker"} {
		if events() >= 200000 && roles[want] == 0 {
			t.Errorf("no play agreed to %s", want)
		}
	}
	t.Logf("%d plays agreed, %d ended; of other profiles %v", agreed, ended, roles)
}
