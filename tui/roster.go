package tui

import (
	"slices"
	"strings"

	"caisson.dev/caisson/spec"
)

// An entry of the roster is chosen where the role is: its name behind this word.
const rosterWord = "roster "

// of is the draft as the entry or the role that was chosen: an entry fills in all
// that it says, a role leaves what was typed and takes the entry's away.
func (d Draft) of(chosen string, f Facts) Draft {
	d = d.with(FieldRole, chosen)
	if d.node != "" {
		for _, at := range []Field{FieldName, FieldAddress, FieldGateway, FieldVLAN, FieldMTU} {
			d = d.with(at, "")
		}
	}
	d.node, d.role, d.dns = "", "", nil
	name, ok := strings.CutPrefix(chosen, rosterWord)
	i := slices.IndexFunc(f.Enclave.Nodes, func(n spec.Node) bool { return n.Name == name })
	if !ok || i < 0 {
		return d
	}
	n := f.Enclave.Nodes[i]
	d.node, d.role, d.dns = n.Name, n.Role, n.Network.DNS
	d = d.with(FieldName, n.Name).with(FieldDisk, "").with(FieldMode, static).
		onLink(n.Network).with(FieldAddress, n.Network.Address).with(FieldGateway, n.Network.Gateway).
		with(FieldVLAN, numberText(n.Network.VLAN)).with(FieldMTU, numberText(n.Network.MTU))
	if n.Network.Address == "" {
		d = d.with(FieldMode, dhcp)
	}
	return d
}

// roleOf is the role, whichever way it was chosen.
func (d Draft) roleOf() string {
	if d.node != "" {
		return d.role
	}
	return trimmed(d, FieldRole)
}

// entries are the roster's nodes as answers to what this node is.
func entries(nodes []spec.Node) []option {
	var out []option
	for _, n := range nodes {
		at := n.Network.Address
		if at == "" {
			at = "DHCP"
		}
		out = append(out, option{value: rosterWord + n.Name, label: n.Name, more: []line{say(list("Of the roster: "+n.Role, at))}})
	}
	return out
}

// asEntry goes straight to the review with a node of the roster, and on to the
// next question with a new one.
func (w Wizard) asEntry() (Wizard, []Effect) {
	if w.draft.node != "" {
		return w.toReview()
	}
	return w.next()
}
