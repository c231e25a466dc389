package tui

import (
	"slices"
	"strings"
	"time"

	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/spec"
)

// Wiring is the network of an installed node: what it was set to, what is so, and
// the change that nobody confirmed yet.
type Wiring struct {
	Enclave   spec.Enclave // the Spec, which a new network has to fit
	Answers   spec.Answers // with the network of now
	Unplugged []string     // its cards without a link
	Seen      []string     // addresses, gateway and MTU as the kernel has them
	Refused   error        // why it cannot be changed here; nil if it can
	Waits     time.Time    // when the old network comes back; zero if none waits
}

// NetworkChange is what a new network takes, for a person to read.
type NetworkChange struct {
	Files   []string // that are written, changed or removed
	Restart []string // units
	Notes   []string // sentences
}

// The effects and events of a change of the network. Propose only asks.
type (
	Propose struct{ Network spec.NodeNetwork }
	Switch  struct {
		Network spec.NodeNetwork
		By      string
	}
	Settle struct{ Keep bool }

	Proposed struct {
		Change NetworkChange
		Err    error
	}
	Switched struct {
		Until time.Time
		Err   error
	}
	Settled struct {
		Said string
		Err  error
	}
)

func (Propose) effect() {}
func (Switch) effect()  {}
func (Settle) effect()  {}
func (Proposed) event() {}
func (Switched) event() {}
func (Settled) event()  {}

// FieldResolvers are the node's own name servers.
const FieldResolvers Field = "resolvers"

// wiringDraft is a change of the network while it is made.
type wiringDraft struct {
	draft  Draft
	tried  bool // what is wrong is shown
	asked  spec.NodeNetwork
	change NetworkChange
	until  time.Time
}

// wiringField is a line of the form.
type wiringField struct {
	id          Field
	label, form string
}

// fields are the lines of the form: what this network can have.
func (d wiringDraft) fields() []wiringField {
	out := []wiringField{{FieldMode, "Address by", "Space: the other way"}}
	if d.draft.get(FieldMode) == static {
		out = append(out, wiringField{FieldAddress, "Address", "as in 10.20.0.11/24"})
	}
	if d.draft.get(FieldInterface) == spec.NoInterface {
		return out[len(out)-1:] // there is no DHCP without a card
	}
	if d.draft.get(FieldMode) == static {
		out = append(out, wiringField{FieldGateway, "Gateway", "may stay empty"})
	}
	return append(out, wiringField{FieldVLAN, "VLAN", "1 to 4094; empty: untagged"},
		wiringField{FieldMTU, "MTU", "empty: as the card has it"}, wiringField{FieldResolvers, "Resolvers", "empty: of the enclave"})
}

// beginWiring fills the form in with the network of now.
func beginWiring(n spec.NodeNetwork) wiringDraft {
	d := Draft{}.onLink(n).with(FieldMode, dhcp)
	if n.Address != "" || n.Interface == spec.NoInterface {
		d = d.with(FieldMode, static)
	}
	d = d.with(FieldAddress, n.Address).with(FieldGateway, n.Gateway).with(FieldVLAN, numberText(n.VLAN)).with(FieldMTU, numberText(n.MTU))
	return wiringDraft{draft: d.with(FieldResolvers, strings.Join(n.DNS, " "))}
}

// network is what the form says, with what is wrong by its field, by the checks
// of the installer's network page.
func (d wiringDraft) network(w Wiring) (spec.NodeNetwork, map[Field][]error) {
	wrong := map[Field][]error{}
	if list := words(trimmed(d.draft, FieldResolvers)); len(list) > 0 {
		d.draft.dns = list
	}
	n, unread := d.draft.network()
	for f, err := range unread {
		wrong[f] = []error{err}
	}
	if d.draft.get(FieldMode) == static && n.Address == "" {
		wrong[FieldAddress] = []error{spec.AnswersIncomplete.New("cannot use network.address: have nothing, need an address with the length of its network, as in 10.20.0.11/24")}
	}
	a := w.Answers
	a.Node, a.Network = "", n // no roster entry fills in what was taken away
	whole, err := spec.Complete(w.Enclave, a)
	for _, one := range fault.All(err) {
		at := fieldOf(one)
		if strings.HasPrefix(one.What, "cannot use network.dns") {
			at = FieldResolvers
		}
		if !slices.ContainsFunc(d.fields(), func(f wiringField) bool { return f.id == at }) {
			at = "" // it is not asked for here
		}
		if len(wrong[at]) == 0 {
			wrong[at] = append(wrong[at], one)
		}
	}
	return whole.Network, wrong
}

// toNetwork opens the form, or asks about the change that waits.
func (s Status) toNetwork() Status {
	if !s.node.Network.Waits.IsZero() {
		s.wiring = wiringDraft{until: s.node.Network.Waits}
		return s.goTo(atKeep)
	}
	if err := s.node.Network.Refused; err != nil {
		s.said, s.failed = "", err
		s.scroll = s.layout(s.size).most
		return s
	}
	s.wiring = beginWiring(s.node.Network.Answers.Network)
	return s.goTo(atNetwork)
}

// editNetwork is a key in a line of the form; false if the key is not for it.
func (s Status) editNetwork(k Key) (Status, bool) {
	fields := s.wiring.fields()
	if s.at != atNetwork || s.focus >= len(fields) {
		return s, false
	}
	f, d := fields[s.focus].id, s.wiring.draft
	typed := []rune(d.get(f))
	switch {
	case f == FieldMode && (k.Kind == KeyLeft || k.Kind == KeyRight || k.Kind == KeyRune && k.Rune == ' '):
		d = d.with(f, box(d.get(f) == static, dhcp, static))
	case f == FieldMode:
		return s, false
	case k.Kind == KeyBackspace && len(typed) > 0:
		d = d.with(f, string(typed[:len(typed)-1]))
	case k.Kind == KeyRune && k.Rune > ' ' && k.Rune <= '~' || k.Kind == KeyRune && k.Rune == ' ' && f == FieldResolvers:
		if len(typed) < mostPassword {
			d = d.with(f, string(append(typed, k.Rune)))
		}
	default:
		return s, false
	}
	s.wiring.draft, s.failed = d, nil
	return s, true
}

// enterNetwork is Enter in the places of a change of the network.
func (s Status) enterNetwork() (Status, []Effect) {
	switch fields := s.wiring.fields(); {
	case s.at == atNetwork && s.focus < len(fields):
		s.focus++
		return s, nil
	case s.at == atNetwork && s.focus > len(fields):
		return s.goTo(atMenu), nil
	case s.at == atNetwork:
		n, wrong := s.wiring.network(s.node.Network)
		s.wiring.tried, s.failed = true, nil
		if len(wrong) > 0 {
			s.focus = 0
			for i, f := range fields {
				if len(wrong[f.id]) > 0 {
					s.focus = i
					break
				}
			}
			return s, nil
		}
		s.wiring.asked, s.busy = n, true
		return s, []Effect{Propose{n}}
	case s.at == atChange && s.focus == 0:
		return s.backToForm(), nil
	case s.at == atChange:
		s.busy = true
		return s, []Effect{Switch{s.wiring.asked, s.who}}
	}
	s.busy = true // atKeep
	return s, []Effect{Settle{Keep: s.focus == 0}}
}

// backToForm keeps what was typed.
func (s Status) backToForm() Status {
	w := s.wiring
	s = s.goTo(atNetwork)
	s.wiring, s.focus = w, len(w.fields())
	return s
}

// rewired takes what the host answers.
func (s Status) rewired(ev Event) Status {
	if !s.busy {
		return s // nobody asked
	}
	switch ev := ev.(type) {
	case Proposed:
		if s.at != atNetwork {
			return s
		}
		s.busy, s.last, s.failed = false, s.now, ev.Err
		if ev.Err == nil {
			s.wiring.change = ev.Change
			s = s.goTo(atChange)
		}
	case Switched:
		if s.at != atChange {
			return s
		}
		s.busy, s.last = false, s.now
		if ev.Err != nil {
			s = s.goTo(atMenu)
			s.failed = ev.Err
			break
		}
		s.wiring.until = ev.Until
		s = s.goTo(atKeep)
		s.focus = 1 // a key too many keeps nothing
	case Settled:
		if s.at != atKeep {
			return s
		}
		s.busy, s.last = false, s.now
		s = s.goTo(atMenu)
		s.said, s.failed = when(ev.Err == nil, ev.Said), ev.Err
	}
	s.scroll = s.layout(s.size).most
	return s
}
