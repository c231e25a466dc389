package tui

import (
	"context"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/internal/arp"
	"caisson.dev/caisson/spec"
)

func (s *stage) links() Links {
	up := map[string]bool{}
	for _, n := range s.facts.Machine.NICs {
		up[n.Name] = n.Link
	}
	return Links{up}
}

// ask plays the network.
func (s *stage) ask(n spec.NodeNetwork) AddressAsked {
	out := AddressAsked{Network: n}
	cards, _ := s.facts.Machine.Cards(n)
	for _, c := range cards {
		if c.Link {
			out.On = c.Name
		}
	}
	if out.On != "" && n.VLAN != 0 {
		out.On += " in VLAN " + numberText(n.VLAN)
	}
	switch address, _, _ := strings.Cut(n.Address, "/"); {
	case out.On == "":
		out.Untested = "no link"
	case address == s.taken:
		out.Err = arp.InUse.New("cannot use the address %s: have an answer from 02:00:00:00:00:99 on %s, need an address that nobody has", address, out.On).
			Hint("take another address, or switch that machine off")
	case n.Bond.Mode == spec.BondLACP && (n.Gateway == "" || s.alone):
		out.Untested = "nobody answers on " + out.On + ", and a switch with 802.3ad may pass nothing on before the bond is there"
	}
	out.Silent = n.Gateway != "" && s.alone
	return out
}

// plans counts what was asked for.
func plans(s *stage) (n int) {
	for _, e := range s.effects {
		if _, ok := e.(Plan); ok {
			n++
		}
	}
	return n
}

// TestAskingIsLeft: whoever goes back while the network is asked is not led on by
// the answer, and is asked for again.
func TestAskingIsLeft(t *testing.T) {
	s := shot(t, slices.Concat([]string{"hold address", "taken 10.20.0.31"}, toName))
	q := s.w.asking
	if s.w.step != networkPage || q == nil || len(s.w.page().fields) != 0 {
		t.Fatalf("at step %d, asking %v", s.w.step, q)
	}
	s.do(t, "keys esc")
	s.send(s.ask(q.network))
	if s.w.step != diskPage || s.w.asked != nil {
		t.Errorf("at step %d with the answer %v to what nobody waits for", s.w.step, s.w.asked)
	}
	s.do(t, "keys enter tab tab tab tab tab tab enter")
	if s.w.asking == nil || s.w.draft.get(FieldAddress) != "10.20.0.31/24" {
		t.Errorf("asking %v with the address %q", s.w.asking, s.w.draft.get(FieldAddress))
	}
	// An answer while help lies over the page leaves it there.
	s.do(t, "keys help", "answer")
	if s.w.over != menu || s.w.asked == nil {
		t.Errorf("over is %d, answer %v", s.w.over, s.w.asked)
	}
	s.do(t, "keys esc")
	if err := s.w.takenError(); s.w.step != networkPage || !arp.InUse.Is(err) || s.w.page().find(FieldTaken) < 0 {
		t.Errorf("at step %d with %v", s.w.step, err)
	}
}

// TestTakenOfTheRoster: a machine that is asked nothing is stopped all the same,
// and a choice for one address is none for another.
func TestTakenOfTheRoster(t *testing.T) {
	text := strings.Replace(installtest.Spec, "interface: none, address: 10.20.0.12/24", "interface: eno1, address: 10.20.0.12/24", 1)
	m := rugged(t)
	m.Serial = "SN-2"
	s := enact(t, m, text)
	s.do(t, "taken 10.20.0.12", "keys enter")
	if s.w.step != networkPage || !arp.InUse.Is(s.w.takenError()) || plans(s) != 0 || s.w.draft.node != "node2" {
		t.Fatalf("at step %d with %v, %d plans, want the network page and no plan", s.w.step, s.w.takenError(), plans(s))
	}
	s.send(Fill{FieldTaken, yes})
	s.send(Press{"continue"})
	if s.w.step != namePage || s.w.takenError() != nil {
		t.Errorf("at step %d with %v, want the next page: it was chosen", s.w.step, s.w.takenError())
	}
	s.do(t, "keys esc", "taken 10.20.0.13")
	s.send(Fill{FieldAddress, "10.20.0.13/24"})
	s.send(Press{"continue"})
	if s.w.step != networkPage || !arp.InUse.Is(s.w.takenError()) {
		t.Errorf("at step %d with %v: consent for another address counts", s.w.step, s.w.takenError())
	}
}

// TestNothingToAsk: alone, by DHCP and what is no address.
func TestNothingToAsk(t *testing.T) {
	s := shot(t, toNetwork)
	d := s.w.draft.with(FieldAddress, "10.20.0.31/24")
	for _, c := range []struct {
		d    Draft
		want bool
	}{
		{d, true}, {d.with(FieldInterface, spec.NoInterface), false}, {d.with(FieldMode, dhcp), false}, {d.with(FieldAddress, "10.20"), false},
		{d.with(FieldInterface, bonded), true}, {d.with(FieldInterface, ""), true}, {d.with(FieldVLAN, "42"), true},
	} {
		w := s.w
		w.draft = c.d
		if w.asks(true) != c.want || w.asks(false) != c.want {
			t.Errorf("%v: asks is %v, want %v", c.d.values, w.asks(false), c.want)
		}
	}
}

// TestBondByMAC: the roster's names of cards stay as they are, and find the card.
func TestBondByMAC(t *testing.T) {
	s := enact(t, rugged(t), strings.Replace(installtest.Spec, "interface: none, address: 10.20.0.12/24",
		`bond: {interfaces: ["02:00:5e:10:00:02", eno9]}, address: 10.20.0.12/24`, 1))
	s.facts.Node = "node2"
	s.w.facts, s.w.draft, s.w.step = &s.facts, Draft{}.begin(s.facts), networkPage
	n, _ := s.w.draft.network()
	if want := (spec.Bond{Interfaces: []string{"02:00:5e:10:00:02", "eno9"}, Mode: spec.BondActiveBackup}); !reflect.DeepEqual(n.Bond, want) {
		t.Errorf("have %+v, want %+v", n.Bond, want)
	}
	var got []string
	for _, f := range s.w.page().fields {
		if f.kind == toggle {
			got = append(got, string(f.id)+box(s.w.draft.get(f.id) != "", " on", " off"))
		}
	}
	if want := []string{"card eno1 off", "card 02:00:5e:10:00:02 on", "card eno9 on"}; !reflect.DeepEqual(got, want) {
		t.Errorf("have %q, want %q", got, want)
	}
	if text := s.w.View(Canvas{Width: 80, Height: 24}).Text(); !strings.Contains(text, "this machine has no card eno9") || !strings.Contains(text, "no link on eno2") {
		t.Errorf("the screen says nothing of it:\n%s", text)
	}
}

// TestCableOnTheLine: a cable that is pulled changes the screen of a serial line,
// with few bytes, and neither what is typed nor where the cursor is.
func TestCableOnTheLine(t *testing.T) {
	s, host, ended := serve(t)
	line := attach(t, s, Terminal{Name: "ttyS0"})
	line.keys("enter")
	line.shows("Every byte of the medium is")
	line.keys("enter", "enter", "enter", "enter", "enter", "enter", "10..0.31/24")
	line.keys("\x1b[H", "\x1b[C", "\x1b[C", "\x1b[C") // behind the first dot
	line.shows("[10..0.31/24")
	before := line.written()
	host.cables <- map[string]bool{"eno1": false, "eno2": false}
	line.shows("[!]  no link on eno1")
	if n := line.written() - before; n > 1500 {
		t.Errorf("a pulled cable takes %d bytes", n)
	}
	line.keys("20")
	line.shows("[10.20.0.31/24")
	host.cables <- map[string]bool{"eno1": true, "eno2": false}
	line.shows("eno1       02:00:5e:10:00:01  [ok] link")
	s.end(nil)
	select { // a watch does not hold the session
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the session does not end")
	}
}

// TestPlainTaken: what a screen reader is told of an address in use and of a cable.
func TestPlainTaken(t *testing.T) {
	s, host, _ := serve(t)
	host.stage.taken = "10.20.0.31"
	r, w := io.Pipe()
	out := &printer{}
	go func() {
		_ = s.Plain(context.Background(), Terminal{Name: "ttyS0", In: r, Out: out, ASCII: true})
	}()
	answer := answers(t, out, w)
	says := func(want string) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
			if strings.HasSuffix(out.String(), want) {
				return
			}
		}
		t.Fatalf("does not end with %q:\n%s", want, out)
	}
	taken := "[!!] ADDRESS-IN-USE: have an answer from 02:00:00:00:00:99 on eno1\n     need  an address that nobody has\n" +
		"     do    take another address, or switch that machine off\n\nsomebody has it: use it all the same, y or n [n]: "
	for _, l := range []string{"", "", "", "", "1", "1", "", "1", "10.20.0.31/24", "", "", "", ""} {
		answer(l)
	}
	says(taken)
	for _, l := range []string{"n", "", "", "", ""} { // gateway, VLAN, MTU, on: asked again
		answer(l)
	}
	says(taken)
	for _, l := range []string{"y", "", "", "", "", "b"} { // on, and back
		answer(l)
	}
	answer("") // the card
	says("  2  DHCP\nNumber [1]: ")
	host.cables <- map[string]bool{"eno1": false}
	says("]: \n[!]  no link on eno1: is the cable in at both ends?\n\nAddress by:\n  1  typing it in\n  2  DHCP\nNumber [1]: ")
	host.cables <- map[string]bool{"eno1": true}
	says("]: \n[ok] every card that is chosen has a link\n\nAddress by:\n  1  typing it in\n  2  DHCP\nNumber [1]: ")
}
