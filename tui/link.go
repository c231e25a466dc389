package tui

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/spec"
)

// bonded as the card means several cards as one; no card can be called so. Each
// card of the bond is a toggle: its name behind cardWord.
const (
	bonded   = "a bond"
	cardWord = "card "
)

// onLink is the draft on the card or the bond of a network.
func (d Draft) onLink(n spec.NodeNetwork) Draft {
	d = d.with(FieldInterface, n.Interface)
	if len(n.Bond.Interfaces) == 0 {
		return d
	}
	for _, name := range d.bondCards() {
		d = d.with(Field(cardWord+name), "")
	}
	for _, name := range n.Bond.Interfaces {
		d = d.with(Field(cardWord+name), yes)
	}
	return d.with(FieldInterface, bonded).with(FieldBond, n.Bond.Mode)
}

// bondCards are the cards that are chosen for a bond.
func (d Draft) bondCards() []string {
	var out []string
	for _, f := range slices.Sorted(maps.Keys(d.values)) {
		if name, ok := strings.CutPrefix(string(f), cardWord); ok && d.values[f] != "" {
			out = append(out, name)
		}
	}
	return out
}

// network is the addressing as typed; unread holds what is not even a number.
func (d Draft) network() (n spec.NodeNetwork, unread map[Field]error) {
	unread = map[Field]error{}
	link := trimmed(d, FieldInterface)
	if link == bonded {
		n.Bond = spec.Bond{Interfaces: d.bondCards(), Mode: trimmed(d, FieldBond)}
	} else {
		n.Interface = link
	}
	if d.get(FieldMode) == static {
		n.Address, n.Gateway = trimmed(d, FieldAddress), trimmed(d, FieldGateway)
	}
	if link == spec.NoInterface {
		return n, unread // what only a card can have is not asked for
	}
	n.DNS = d.dns
	read := func(f Field, path, need string) int {
		text := trimmed(d, f)
		i, err := strconv.Atoi(text)
		if text != "" && (err != nil || i == 0) {
			unread[f] = spec.AnswersValue.New("cannot use %s: have %q, need %s", path, text, need)
		}
		return i
	}
	n.VLAN = read(FieldVLAN, "network.vlan", "a number from 1 to 4094, or nothing")
	n.MTU = read(FieldMTU, "network.mtu", "a number from 576 to 9216, or nothing")
	return n, unread
}

// bondOption offers a bond where there are cards for one.
func bondOption(nics []machine.NIC) []option {
	if len(nics) < 2 {
		return nil
	}
	return []option{{value: bonded, label: pad("bond", 11) + "several cards as one"}}
}

// bondFields ask what a bond is made of: a toggle for each card, under the name
// that it was chosen by, then for each that was chosen and is not here.
func (d Draft) bondFields(m machine.Machine) []field {
	var out []field
	add := func(name, label string) {
		out = append(out, field{id: Field(cardWord + name), kind: toggle, label: label, group: box(len(out) == 0, "Its cards", "")})
	}
	chosen := d.bondCards()
	for _, n := range m.NICs {
		name := n.Name
		for _, c := range chosen {
			if is, _ := m.Cards(spec.NodeNetwork{Interface: c}); len(is) > 0 && is[0].Name == n.Name {
				name = c // by its MAC, as the roster has it
			}
		}
		add(name, cardText(n))
	}
	_, missing := m.Cards(spec.NodeNetwork{Bond: spec.Bond{Interfaces: chosen}})
	for _, name := range missing {
		add(name, pad(name, 30)+"[!] not in this machine")
	}
	return append(out, field{id: FieldBond, kind: choice, label: "Bond by", options: []option{
		{value: spec.BondActiveBackup, label: pad(spec.BondActiveBackup, 15) + "one in use, the others in reserve"},
		{value: spec.BondLACP, label: pad(spec.BondLACP, 15) + "all in use; the switch must know"}}})
}

// forBond are the cards that a bond is first offered with: those that have a
// link, or the only two.
func forBond(nics []machine.NIC) []machine.NIC {
	linked := slices.DeleteFunc(slices.Clone(nics), func(n machine.NIC) bool { return !n.Link })
	switch {
	case len(linked) >= 2:
		return linked
	case len(nics) == 2:
		return nics
	}
	return nil
}

// cardText is a card as an answer to a question.
func cardText(n machine.NIC) string {
	return pad(n.Name, 11) + pad(n.MAC, 19) + box(n.Link, "[ok] link", "[!] no link")
}

// words takes a list apart that was typed with spaces or commas.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' })
}

func numberText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
