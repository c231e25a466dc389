package tui

import (
	"reflect"
	"slices"
	"testing"

	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/spec"
)

var (
	wrongPlace = fault.Define("TEST-BOUND", fault.Node)
	static31   = spec.NodeNetwork{Interface: "eno1", Address: "10.20.0.31/24", Gateway: "10.20.0.1"}
	bound      = spec.NodeNetwork{Interface: "eno1", Address: "10.20.0.99/24", Gateway: "10.20.0.1"}
)

// wired is the network of the node that sound describes; another node of the
// roster has 10.20.0.12.
func wired() Wiring {
	e := spec.Enclave{APIVersion: spec.APIVersion, Kind: spec.KindEnclave, Metadata: spec.Metadata{Name: "demo"},
		Nodes: []spec.Node{{Name: "edge1", Role: spec.ControlPlane, Network: spec.NodeNetwork{Interface: "eno1", Address: "10.20.0.31/24", VLAN: 9}},
			{Name: "edge2", Role: spec.ControlPlane, Network: spec.NodeNetwork{Interface: "eno1", Address: "10.20.0.12/24"}}}}
	spec.Default(&e)
	return Wiring{Enclave: e, Seen: []string{"eno1  10.20.0.31/24  MTU 1500", "gateway 10.20.0.1"},
		Answers: spec.Answers{APIVersion: spec.APIVersion, Kind: spec.KindAnswers, Node: "edge1", Name: "edge1", Role: spec.ControlPlane, Network: static31, After: spec.DefaultAfter}}
}

// toForm leads to the form, toChange from there to what a VLAN takes.
var (
	toForm   = []string{"enter", "'right?", "enter", "down", "down", "enter"}
	toChange = []string{"down", "down", "down", "'42", "down", "down", "down", "enter"}
)

func way(parts ...[]string) []string { return slices.Concat(parts...) }

// TestStatusNetwork plays the ways through a change of the network: what is asked
// of the host, and where a person is then.
func TestStatusNetwork(t *testing.T) {
	admit := Admit{"ops", "right?"}
	tagged := static31
	tagged.VLAN = 42
	propose, force := Propose{tagged}, Switch{tagged, "ops"}
	yes := []string{"down", "enter"}
	for _, c := range []struct {
		name string
		node NodeState
		way  []string
		want []Effect
		at   place
	}{
		{"a look", sound(), way(toForm, []string{"esc"}), []Effect{admit}, atMenu},
		{"the word Back", sound(), way(toForm, []string{"down", "down", "down", "down", "down", "down", "down", "enter"}), []Effect{admit}, atMenu},
		{"what is wrong asks nobody", sound(), way(toForm, []string{"down", "down", "down", "'5000", "down", "down", "down", "enter"}), []Effect{admit}, atNetwork},
		{"another node's address", sound(), way(toForm, []string{"down", "backspace", "backspace", "backspace", "backspace", "backspace", "'12/24", "down", "down", "down", "down", "down", "enter"}), []Effect{admit}, atNetwork},
		{"what is refused changes nothing", sound(), way(toForm, []string{"down", "backspace", "backspace", "backspace", "backspace", "backspace", "'99/24", "down", "down", "down", "down", "down", "enter"}), []Effect{admit, Propose{bound}}, atNetwork},
		{"DHCP", sound(), way(toForm, []string{"' ", "down", "down", "down", "down", "enter"}), []Effect{admit, Propose{spec.NodeNetwork{Interface: "eno1"}}}, atChange},
		{"resolvers", sound(), way(toForm, []string{"down", "down", "down", "down", "down", "'10.20.0.2 10.20.0.3", "down", "enter"}),
			[]Effect{admit, Propose{spec.NodeNetwork{Interface: "eno1", Address: "10.20.0.31/24", Gateway: "10.20.0.1", DNS: []string{"10.20.0.2", "10.20.0.3"}}}}, atChange},
		{"no is where the keys are", sound(), way(toForm, toChange, []string{"enter"}), []Effect{admit, propose}, atNetwork},
		{"back to the values, which are still there", sound(), way(toForm, toChange, []string{"esc", "enter"}), []Effect{admit, propose, propose}, atChange},
		{"yes", sound(), way(toForm, toChange, yes), []Effect{admit, propose, force}, atKeep},
		{"esc does not go past the question", sound(), way(toForm, toChange, yes, []string{"esc", "interrupt"}), []Effect{admit, propose, force}, atKeep},
		{"kept", sound(), way(toForm, toChange, yes, []string{"up", "enter"}), []Effect{admit, propose, force, Settle{true}}, atMenu},
		{"a key too many keeps nothing", sound(), way(toForm, toChange, yes, []string{"enter"}), []Effect{admit, propose, force, Settle{false}}, atMenu},
		{"nobody answers", sound(), way(toForm, toChange, yes, []string{"+59s"}), []Effect{admit, propose, force}, atKeep},
		{"nobody answers for a minute", sound(), way(toForm, toChange, yes, []string{"+59s", "+1s", "+1s"}), []Effect{admit, propose, force, Settle{false}}, atMenu},
		{"the console was started anew", waiting(sound()), way(toForm, []string{"enter"}), []Effect{admit, Settle{true}}, atMenu},
	} {
		d := newDesk(t, c.node)
		d.do(c.way...)
		if got := d.asked(); !reflect.DeepEqual(got, c.want) || d.s.at != c.at {
			t.Errorf("%s: asked for %+v and is at %d, want %+v at %d", c.name, got, d.s.at, c.want, c.at)
		}
	}
}

// TestStatusNetworkFails: the menu says why, and asks no question about a network
// that is not in force.
func TestStatusNetworkFails(t *testing.T) {
	d := newDesk(t, sound())
	d.broken = true
	d.do(way(toForm, toChange, []string{"down", "enter"})...)
	if d.s.at != atMenu || !wrongPlace.Is(d.s.failed) {
		t.Errorf("at %d with %v, want the menu with TEST-BOUND", d.s.at, d.s.failed)
	}
}

// TestStatusNetworkRefused: a profile that knows no change says so in the menu,
// before a person has typed anything.
func TestStatusNetworkRefused(t *testing.T) {
	d := newDesk(t, fixedNode(sound()))
	d.do(toForm...)
	if d.s.at != atMenu || !wrongPlace.Is(d.s.failed) {
		t.Errorf("at %d with %v, want the menu with TEST-BOUND", d.s.at, d.s.failed)
	}
}

// TestStatusSaysNoSuccess: what an act would have said is not said if it failed.
func TestStatusSaysNoSuccess(t *testing.T) {
	d := newDesk(t, waiting(sound()))
	d.do(toForm...)
	d.held = true
	d.do("enter")
	d.send(Settled{Said: "The new network is kept.", Err: wrongPlace.New("cannot keep the new network: have none that waits, need one")})
	if d.s.said != "" || !wrongPlace.Is(d.s.failed) {
		t.Errorf("says %q and %v", d.s.said, d.s.failed)
	}
}

// TestStatusNetworkAlone: a node without a card has an address and nothing else.
func TestStatusNetworkAlone(t *testing.T) {
	n := sound()
	n.Network.Answers.Network = spec.NodeNetwork{Interface: spec.NoInterface, Address: "10.20.0.31/24"}
	d := newDesk(t, n)
	d.do(way(toForm, []string{"backspace", "backspace", "'16", "down", "enter"})...)
	want := Propose{spec.NodeNetwork{Interface: spec.NoInterface, Address: "10.20.0.31/16"}}
	if got := d.asked(); len(got) != 2 || !reflect.DeepEqual(got[1], Effect(want)) {
		t.Errorf("asked for %+v, want %+v", got, want)
	}
}
