package tui

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images/distribution"
	"caisson.dev/caisson/installer/disk"
	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

var mediumGone = fault.Define("TEST-MEDIUM-GONE", fault.Media)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// stage is a wizard with a play of a host: effects are answered at once, as the
// real ones would be, but for those that are held.
type stage struct {
	w       Wizard
	facts   Facts
	bundle  plan.Bundle
	spec    []byte
	now     time.Time
	held    map[string]bool
	effects []Effect // all that were asked for
	fault   error    // what the install ends with
	taken   string   // an address that somebody has
	alone   bool     // no gateway answers
	gone    error    // why the medium cannot be read
}

// rugged is the recorded machine of installer/machine, with processors enough
// and a second disk that is too small.
func rugged(t testing.TB) machine.Machine {
	t.Helper()
	raw, err := os.ReadFile("../installer/machine/testdata/rugged-nvme.json")
	if err != nil {
		t.Fatal(err)
	}
	var m machine.Machine
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	m.CPUs = 20
	m.Disks = append(m.Disks, machine.Disk{Name: "sdb", IDs: []string{"ata-Old_16"}, Vendor: "ATA", Model: "Old 16", Serial: "0016",
		Size: 16 * size.GiB, SectorSize: 512, Transport: "ata"})
	return m
}

// enact sets a stage: a machine and the enclave of installtest.
func enact(t testing.TB, m machine.Machine, text string) *stage {
	t.Helper()
	v, err := mounted()
	if text == installtest.SealedSpec {
		v, err = mountedSealed()
	}
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := spec.Parse([]byte(text), "")
	if err != nil {
		t.Fatal(err)
	}
	loaded.Enclave.OS.RootShell = true
	s := &stage{bundle: v, spec: []byte(text), now: noon, held: map[string]bool{}}
	built := time.Unix(v.Manifest().Epoch, 0).UTC()
	needs := installtest.Profile{}.Needs("")
	s.facts = Facts{Enclave: loaded.Enclave, Release: v.Manifest().Release, Manifest: v.Digest(), Built: built, Machine: m,
		Needs: map[string]profiles.Needs{spec.ControlPlane: needs, spec.Worker: {Memory: 2 * size.GiB, Disk: 8 * size.GiB, CPUs: 1}}}
	if n, ok, err := spec.FindNode(loaded.Enclave, m.Identity()); err != nil {
		t.Fatal(err)
	} else if ok {
		s.facts.Node = n.Name
	}
	s.facts.Refused = refused(m)
	if s.facts.Secrets = v.Manifest().Secrets; s.facts.Secrets != nil {
		s.facts.SecretRoles = []string{spec.ControlPlane}
	}
	s.w = New(Medium{Enclave: loaded.Enclave.Metadata.Name, Classification: spec.Classification{Label: "RESTRICTED // TRIAL", Colour: "orange"},
		Release: s.facts.Release, Manifest: s.facts.Manifest, Built: built})
	s.send(Tick{s.now})
	return s
}

func refused(m machine.Machine) map[string]string {
	out := map[string]string{}
	for _, d := range m.Disks {
		switch {
		case d.Medium:
			out[d.StablePath()] = "it is the medium that this system started from"
		case d.Size < 32*size.GiB:
			out[d.StablePath()] = "it holds " + d.Size.String() + ", need 32.0 GiB"
		}
	}
	return out
}

// send gives the wizard an event, and what the host answers to its effects.
func (s *stage) send(ev Event) {
	var effects []Effect
	s.w, effects = s.w.Update(ev)
	for _, e := range effects {
		s.effects = append(s.effects, e)
		for _, ev := range s.answer(e) {
			s.send(ev)
		}
	}
}

func (s *stage) answer(e Effect) []Event {
	switch e := e.(type) {
	case Verify:
		if s.held["verify"] {
			return nil
		}
		return []Event{MediumOK{s.facts}}
	case Rescan:
		return []Event{Rescanned{Machine: s.facts.Machine, Refused: s.facts.Refused}}
	case WatchLinks:
		return []Event{s.links()}
	case AskAddress:
		if s.held["address"] {
			return nil
		}
		return []Event{s.ask(e.Network)}
	case Watch:
		return []Event{Watched{s.gone}}
	case Plan:
		if s.held["plan"] {
			return nil
		}
		if s.gone != nil {
			return []Event{Planned{Number: e.Number, Err: s.gone}}
		}
		p, err := plan.Make(plan.Input{Machine: s.facts.Machine, Enclave: s.facts.Enclave, Spec: s.spec, Answers: e.Answers,
			Bundle: s.bundle, Profile: installtest.Profile{}, Engine: distribution.Engine{}})
		return []Event{Planned{e.Number, p, err}}
	case OpenSecrets:
		if s.held["secrets"] {
			return nil
		}
		return []Event{SecretsOpened{e.Number, s.open(string(e.Passphrase))}}
	case HashPassword:
		return s.hash(e)
	case Install:
		return s.carryOut(e)
	case SaveAnswers:
		return []Event{Saved{Where: "answers.yaml on the stick SanDisk Ultra"}}
	case ReadKeys:
		return []Event{s.stickKeys()}
	case SupportBundle:
		return []Event{Bundled{Err: errors.New("no stick is plugged in")}}
	case SetClock:
		s.now = e.Now
		return []Event{Tick{e.Now}, ClockSet{}}
	case Shell:
		return []Event{Left{}}
	}
	return nil
}

// carryOut plays an install, to its fifth step if it is held.
func (s *stage) carryOut(e Install) []Event {
	c, err := plan.Confirm(e.Plan, e.Erase)
	if err != nil {
		return []Event{Installed{Err: err}}
	}
	var out []Event
	for i, st := range c.Plan().Steps {
		out = append(out, InstallEvent{event.Event{Name: "step", Step: i + 1, Steps: len(e.Plan.Steps), Size: st.Bytes(), Message: st.Text(e.Plan)}})
		if st.Kind == plan.WriteImage && s.held["install"] {
			const all = 283 << 20
			out = append(out, InstallEvent{event.Event{Name: "progress", Step: i + 1, Done: 0, Size: all}})
			s.now = s.now.Add(4 * time.Second)
			return append(out, Tick{s.now}, InstallEvent{event.Event{Name: "progress", Step: i + 1, Done: all / 3, Size: all}})
		}
	}
	if s.fault != nil {
		return append(out, Installed{Err: s.fault})
	}
	return append(out, Installed{Result: Result{Record: digest.Of([]byte("record")), Address: "10.20.0.31"}})
}

// do runs the lines of a key script that act.
func (s *stage) do(t testing.TB, lines ...string) {
	t.Helper()
	for _, l := range lines {
		verb, rest, _ := strings.Cut(strings.TrimSpace(l), " ")
		switch verb {
		case "keys":
			for _, name := range strings.Fields(rest) {
				k, ok := keyNamed(name)
				if !ok {
					t.Fatalf("no key is called %q", name)
				}
				s.send(k)
			}
		case "type":
			for _, r := range rest {
				s.send(Key{Rune: r})
			}
		case "tick":
			at, err := time.Parse(time.RFC3339, rest)
			if err != nil {
				t.Fatal(err)
			}
			s.now = at
			s.send(Tick{at})
		case "hold":
			s.held[rest] = true
		case "progress":
			s.send(MediumProgress{Done: 0, Total: 1 << 30})
			s.now = s.now.Add(10 * time.Second)
			s.send(Tick{s.now})
			s.send(MediumProgress{Done: 300 << 20, Total: 1 << 30})
		case "bad-medium":
			s.send(MediumFailed{bundle.MediaExtraFile.New("cannot use the medium: have autorun.inf, need only what the manifest names").Hint("make the medium again from the ISO")})
		case "bad-install":
			s.fault = disk.TooSmall.New("cannot install to /dev/disk/by-id/x: holds 1.0 GiB, need 2.0 GiB").Hint("use a larger disk")
		case "unplug":
			s.facts.Machine.Disks = nil
			s.send(Rescanned{Machine: s.facts.Machine})
		case "cable": // cable CARD in, or out
			card, is, _ := strings.Cut(rest, " ")
			s.facts.Machine.NICs = slices.Clone(s.facts.Machine.NICs)
			for i, n := range s.facts.Machine.NICs {
				if n.Name == card {
					s.facts.Machine.NICs[i].Link = is == "in"
				}
			}
			s.send(s.links())
		case "taken":
			s.taken = rest
		case "alone": // or "alone no"
			s.alone = rest == ""
		case "answer": // of the network, at last
			s.held["address"] = false
			s.send(s.ask(s.w.asking.network))
		case "opened": // the answer to what was held
			for _, e := range s.effects {
				if o, ok := e.(OpenSecrets); ok {
					s.send(SecretsOpened{o.Number, s.open(string(o.Passphrase))})
				}
			}
		case "pull", "pull-unseen":
			s.gone = mediumGone.New("cannot read the medium: have no stick, disc or disk CAISSON_0123ABCD any more (no such device), need it plugged in").
				Hint("plug it in again, into another port if need be, and wait a few seconds")
			if verb == "pull" {
				s.send(Tick{s.now})
			}
		case "replug":
			s.gone = nil
			s.send(Tick{s.now})
		case "release": // the answer to the first plan that was asked for
			for _, e := range s.effects {
				if p, ok := e.(Plan); ok {
					s.held = map[string]bool{}
					for _, ev := range s.answer(p) {
						s.send(ev)
					}
					break
				}
			}
		case "given": // an answer file without its head; a ; ends a line
			s.facts.AnswersFrom = "answers.yaml on the medium labelled CAISSON"
			s.facts.Answers, s.facts.AnswersErr = spec.ParseAnswers([]byte(
				"apiVersion: " + spec.APIVersion + "\nkind: Answers\n" + strings.ReplaceAll(rest, "; ", "\n")))
			if s.facts.AnswersErr != nil {
				s.facts.Answers = spec.Answers{}
			}
		case "serial": // another machine, which the roster may name
			s.facts.Machine = installtest.Machine()
			s.facts.Machine.Serial, s.facts.Refused = rest, refused(s.facts.Machine)
			n, _, err := spec.FindNode(s.facts.Enclave, s.facts.Machine.Identity())
			if err != nil {
				t.Fatal(err)
			}
			s.facts.Node = n.Name
		case "bad-firmware":
			s.facts.Machine.Firmware = machine.BIOS
		default:
			t.Fatalf("no verb %q", verb)
		}
	}
}
