package tui

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"
)

// deskPlayer makes events of the status console of bytes, as player does of the
// installer: keys above all, what leads on, answers that nobody asked for.
type deskPlayer struct {
	*desk
	admitted bool          // since the status was shown last
	proposed *Propose      // that was answered with a change
	done     map[place]int // events at each place
	helped   int
}

func (p *deskPlayer) play(a, b byte) {
	switch {
	case a < 110:
		p.give(Key{Kind: KeyKind(int(a) % int(KeyInterrupt+1)), Rune: rune(b)})
	case a < 130:
		p.give(Key{Rune: []rune("az09?- ./:\x00\x1b\u0301名é")[int(b)%15]})
	case a < 190: // what leads on
		switch p.s.at {
		case atPassword:
			for _, r := range "right?" {
				p.give(Key{Rune: r})
			}
		case atMenu, atWho, atAsk, atChange:
			for range int(b) % 4 {
				p.give(Key{Kind: KeyDown})
			}
		case atNetwork:
			for range 8 {
				p.give(Key{Kind: KeyDown})
			}
			p.give(Key{Kind: KeyUp})
		}
		p.give(Key{Kind: KeyEnter})
	case a < 200:
		p.give(Resized{Width: int(b) * 2, Height: int(a+b) % 60, Large: b&1 == 1})
	case a < 215:
		p.node = []NodeState{sound(), ill(), none(sound()), many(sound()), free(sound()), worker(sound()), waiting(sound()), {Damaged: errors.New("x")}}[int(b)%8]
	case a < 220:
		p.held, p.broken = b&1 == 1, b&6 == 6
	case a < 245:
		p.now = p.now.Add(time.Duration(int(b)-8) * time.Second) // a clock may go back
		p.give(Tick{p.now})
	default:
		p.give([]Event{Looked{p.node}, Admitted{}, Admitted{errors.New("x")}, Did{Said: "x"}, Did{Err: errors.New("x")}, Proposed{}, Proposed{Err: errors.New("x")},
			Switched{}, Switched{Err: errors.New("x")}, Settled{}}[int(b)%10])
	}
}

// give is desk.send under the eyes of the rules. Effects come of the event alone:
// what the host answers asks for nothing more.
func (p *deskPlayer) give(ev Event) {
	before := p.s
	p.effects = nil
	p.send(ev)
	for _, e := range p.effects {
		p.rule(before, ev, e)
	}
	if p.s.at <= atPassword {
		p.admitted = false
	} else if before.at <= atPassword {
		p.enters(before, ev)
	}
	if p.s.at == atAsk && before.at == atMenu && p.s.act == OpenShell && !before.node.Shell {
		p.t.Fatal("offers a shell that the Spec does not allow")
	}
	if before.help && p.s.help && (p.s.at != before.at || p.s.typed != before.typed || p.s.focus != before.focus) {
		p.t.Fatalf("%+v at place %d went through the help", ev, before.at)
	}
	p.done[p.s.at]++
	if p.s.help {
		p.helped++
	}
}

// enters is a way into the menu: the host said yes to a password.
func (p *deskPlayer) enters(before Status, ev Event) {
	if in, ok := ev.(Admitted); ok && in.Err == nil && before.busy { // to one that it was asked about earlier
		p.admitted = true
	}
	for _, e := range p.effects {
		if ask, ok := e.(Admit); ok && ask.Password == "right?" {
			p.admitted = true
		}
	}
	if !p.admitted || before.at != atPassword {
		p.t.Fatalf("%+v at place %d opens the menu", ev, before.at)
	}
}

// rule is what must be true of each effect: nothing is done before the right
// password, and nothing that was not on the screen.
func (p *deskPlayer) rule(before Status, ev Event, e Effect) {
	k, _ := ev.(Key)
	enter := k.Kind == KeyEnter && !before.help
	switch e := e.(type) {
	case Look:
		if before.looking {
			p.t.Fatal("two looks at once")
		}
		return
	case Admit:
		if before.at != atPassword || !enter || e.Password != before.typed || before.now.Before(before.wait) {
			p.t.Fatalf("asks for %+v with %q typed at place %d", e, before.typed, before.at)
		}
		return
	case Do:
		if before.at != atAsk || before.focus != 1 || e.Act != before.act || !enter {
			p.t.Fatalf("does %s at place %d, row %d", e.Act, before.at, before.focus)
		}
	case Propose:
		if before.at != atNetwork || !enter {
			p.t.Fatalf("proposes at place %d", before.at)
		}
		p.proposed = &e
	case Switch:
		if before.at != atChange || before.focus != 1 || !enter || p.proposed == nil || e.By != before.who {
			p.t.Fatalf("puts %+v into force at place %d, row %d", e, before.at, before.focus)
		}
		if n := p.proposed.Network; n.Address != e.Network.Address || n.VLAN != e.Network.VLAN || n.Gateway != e.Network.Gateway {
			p.t.Fatalf("puts %+v into force and proposed %+v", e.Network, n)
		}
	case Settle:
		if before.at != atKeep || e.Keep && (before.focus != 0 || !enter) {
			p.t.Fatalf("keeps: %v, at place %d, row %d", e.Keep, before.at, before.focus)
		}
	}
	if !p.admitted {
		p.t.Fatalf("%T, and nobody gave the right password", e)
	}
}

func (p *deskPlayer) look(w, h int, c byte) {
	s := p.s.View(Canvas{Width: w, Height: h, ASCII: c&1 == 1, Large: c&2 == 2, Colour: Colours(c >> 2 & 1)})
	if len(s.Rows) != max(1, min(h, 1000)) {
		p.t.Fatalf("%d rows of %d", len(s.Rows), h)
	}
	for _, r := range s.Rows {
		if cells(r) > max(1, w) {
			p.t.Fatalf("a row of %d cells on %d: %q", cells(r), w, flat(r))
		}
	}
}

func FuzzStatus(f *testing.F) {
	f.Add([]byte{150, 0, 150, 0, 150, 2, 150, 0, 150, 1, 150, 0})
	f.Add([]byte("any bytes will do"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &deskPlayer{desk: newDesk(t, many(sound())), done: map[place]int{}}
		for i := 0; i+1 < len(data) && i < 600; i += 2 {
			p.play(data[i], data[i+1])
			if i%16 == 0 {
				p.look(int(data[i])*2, int(data[i+1]), data[i])
			}
		}
	})
}

// TestManyStatusEvents is TestManyEvents of the status console.
func TestManyStatusEvents(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	done, helped := map[place]int{}, 0
	for n := events(); n > 0; {
		p := &deskPlayer{desk: newDesk(t, many(sound())), done: done}
		for range 500 {
			p.play(byte(r.Uint32()), byte(r.Uint32()))
			if n--; n%50 == 0 {
				p.look(r.IntN(200), r.IntN(80), byte(r.Uint32()))
			}
		}
		helped += p.helped
	}
	for at := atStatus; at <= atKeep; at++ {
		if done[at] == 0 {
			t.Errorf("the play never comes to place %d: it proves nothing of it", at)
		}
	}
	if helped == 0 {
		t.Error("the play never opens the help")
	}
	t.Logf("events at each place %v, in the help %d", done, helped)
}
