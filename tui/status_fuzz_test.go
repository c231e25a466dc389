package tui

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/spec"
)

// sitter makes events of bytes for the status console, as player does for the
// installer, under the eyes of the rules.
type sitter struct {
	*desk
	admitted bool // the right password was given and the menu not left since
	offered  *spec.NodeNetwork
	kept     int // new networks that were kept
	switched int
}

var statusTexts = []string{"right?", "right?", "wrong", "10.20.0.32/24", "10.20.0.12/24", "0.0.0.0/0", "42", "9000", "-1", "10.20.0.1", "10.20.0.2 10.20.0.3", "名\x1b[2J", "banana", " ", ""}

// moods are how the node is at a look.
var moods = []func() NodeState{sound, ill, func() NodeState { return none(sound()) }, func() NodeState { return many(sound()) }, func() NodeState { return free(sound()) },
	func() NodeState { return unplugged(sound()) }, func() NodeState { return fixedNode(sound()) }, func() NodeState { return NodeState{Damaged: errors.New("x\x1b名")} },
	func() NodeState {
		n := sound()
		n.Network.Answers.Network = spec.NodeNetwork{Interface: spec.NoInterface, Address: "10.20.0.31/24"}
		return n
	},
	func() NodeState {
		n := sound()
		n.Network.Answers.Network = spec.NodeNetwork{Bond: spec.Bond{Interfaces: []string{"eno1", "eno2"}, Mode: spec.BondLACP}, VLAN: 7}
		return n
	}}

func (p *sitter) play(a, b byte) {
	switch {
	case a < 60:
		p.give(Key{Kind: KeyKind(int(a) % int(KeyInterrupt+1)), Rune: rune(b)})
	case a < 100:
		for _, ev := range runes(statusTexts[int(b)%len(statusTexts)]) {
			p.give(ev)
		}
	case a < 200: // what leads on
		p.lead(b)
	case a < 215:
		p.give(Resized{Width: int(b), Height: int(a+b) % 60, Large: b&1 == 1})
	case a < 230:
		p.now = p.now.Add([]time.Duration{time.Second, 5 * time.Second, time.Minute, 3 * time.Minute, -time.Hour}[int(b)%5])
		p.give(Tick{p.now})
	case a < 236:
		waits := p.node.Network.Waits
		p.node = moods[int(b)%len(moods)]()
		p.node.Network.Waits = waits
	case a < 240:
		p.broken = b&1 == 1
	default: // answers that nobody asked for
		p.give([]Event{Admitted{}, Admitted{errors.New("x")}, Did{Said: "x"}, Did{Err: errors.New("x")}, Proposed{}, Proposed{Err: errors.New("x")},
			Switched{Until: p.now.Add(time.Minute)}, Switched{}, Settled{Said: "x"}, Settled{Err: errors.New("x")}, Looked{}}[int(b)%11])
	}
}

// lead presses what a person would who wants another network.
func (p *sitter) lead(b byte) {
	enter := Key{Kind: KeyEnter}
	switch p.s.at {
	case atPassword:
		p.do("'right?")
		p.give(enter)
	case atMenu:
		for i, a := range p.s.acts() {
			if a.act == ChangeNetwork && b < 200 {
				p.s.focus = i
			}
		}
		p.give(enter)
	case atNetwork:
		fields := p.s.wiring.fields()
		if at := int(b) % (len(fields) + 1); at < len(fields) && fields[at].id == FieldVLAN && p.s.wiring.draft.get(FieldVLAN) == "" {
			p.s.focus = at
			p.do("'42")
		}
		if b > 128 {
			p.s.focus = len(fields)
			p.give(enter)
		}
	case atChange, atKeep, atAsk:
		p.s.focus = int(b) % 2
		p.give(enter)
	default:
		p.give(enter)
	}
}

// give is desk.send under the eyes of the rules: the desk answers at once, so that
// all that happened is in its effects.
func (p *sitter) give(ev Event) {
	before, n := p.s, len(p.effects)
	p.send(ev)
	for _, e := range p.effects[n:] {
		p.rule(before, e)
	}
	if p.s.at == atStatus || p.s.at == atWho || p.s.at == atNobody || p.s.at == atPassword {
		p.admitted = false
	}
	if len(p.s.typed) > mostPassword+4 {
		p.t.Fatalf("a password of %d bytes", len(p.s.typed))
	}
}

// rule is what must be true of each effect, where a person was before it.
func (p *sitter) rule(before Status, e Effect) {
	if _, tick := e.(Look); tick {
		return
	}
	if before.busy || before.leaving {
		p.t.Fatalf("%T while the host is at work", e)
	}
	if a, ok := e.(Admit); ok {
		if before.at != atPassword || a.Password == "" || before.now.Before(before.wait) {
			p.t.Fatalf("asks at %d for the password %q, which may not count yet", before.at, a.Password)
		}
		p.admitted = a.Password == "right?"
		return
	}
	if !p.admitted {
		p.t.Fatalf("%+v, and nobody gave the right password", e)
	}
	switch e := e.(type) {
	case Do:
		if before.at != atAsk || before.focus != 1 {
			p.t.Fatalf("does %s at %d, row %d", e.Act, before.at, before.focus)
		}
	case Propose:
		_, wrong := before.wiring.network(before.node.Network)
		a := before.node.Network.Answers
		a.Node, a.Network = "", e.Network
		if _, err := spec.Complete(before.node.Network.Enclave, a); err != nil || len(wrong) > 0 || before.at != atNetwork {
			p.t.Fatalf("proposes %+v at %d: %v, %v", e.Network, before.at, err, wrong)
		}
		p.offered = &e.Network
	case Switch:
		if before.at != atChange || before.focus != 1 || p.offered == nil || !reflect.DeepEqual(*p.offered, e.Network) || e.By != before.who {
			p.t.Fatalf("puts %+v into force at %d, row %d; proposed was %+v", e.Network, before.at, before.focus, p.offered)
		}
		if p.offered = nil; !p.broken {
			p.switched++
		}
	case Settle:
		if before.at != atKeep || e.Keep && before.focus != 0 {
			p.t.Fatalf("settles (keep %v) at %d, row %d", e.Keep, before.at, before.focus)
		}
		if e.Keep {
			p.kept++
		}
	}
}

func (p *sitter) look(w, h int, c byte) {
	s := p.s.View(Canvas{Width: w, Height: h, ASCII: c&1 == 1, Large: c&2 == 2, Colour: Colours(c >> 2 & 1)})
	if len(s.Rows) != max(1, min(h, 1000)) {
		p.t.Fatalf("%d rows of %d", len(s.Rows), h)
	}
	for _, r := range s.Rows {
		if cells(r) > max(1, w) {
			p.t.Fatalf("a row of %d cells on %d: %q", cells(r), w, flat(r))
		}
	}
	if s.Cursor && (s.CursorX < 0 || s.CursorY < 0 || s.CursorX >= max(1, w) || s.CursorY >= len(s.Rows)) {
		p.t.Fatalf("the cursor is at %d, %d on %dx%d", s.CursorX, s.CursorY, w, h)
	}
	if text := s.Text(); p.s.at == atPassword && strings.Contains(text, "right?") || strings.ContainsAny(text, "\x1b") {
		p.t.Fatalf("the screen shows what it must not:\n%s", text)
	}
}

func newSitter(t *testing.T, mood int, way ...string) *sitter {
	p := &sitter{desk: newDesk(t, moods[mood%len(moods)]())}
	p.do(way...)
	p.admitted = p.s.at >= atMenu
	return p
}

func FuzzStatus(f *testing.F) {
	f.Add([]byte{100, 0, 100, 0, 100, 0, 100, 5, 100, 200, 100, 1, 100, 0})
	f.Add([]byte("any bytes will do"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := newSitter(t, len(data))
		for i := 0; i+1 < len(data) && i < 600; i += 2 {
			p.play(data[i], data[i+1])
			if i%16 == 0 {
				p.look(int(data[i]), int(data[i+1]), data[i])
			}
		}
	})
}

// TestManyStatusEvents is the fuzzer's play with a seed, as TestManyEvents is.
func TestManyStatusEvents(t *testing.T) {
	n := events()
	r := rand.New(rand.NewPCG(3, 4))
	switched, kept := 0, 0
	for n > 0 {
		p := newSitter(t, r.IntN(len(moods)), [][]string{nil, toForm}[r.IntN(2)]...)
		for range 500 {
			p.play(byte(r.Uint32()), byte(r.Uint32()))
			if n--; n%50 == 0 {
				p.look(r.IntN(200), r.IntN(80), byte(r.Uint32()))
			}
		}
		switched, kept = switched+p.switched, kept+p.kept
	}
	if switched == 0 || kept == 0 {
		t.Errorf("%d networks were put into force and %d kept: the play does not get far enough to prove anything", switched, kept)
	}
	t.Logf("%d networks were put into force, %d kept", switched, kept)
}
