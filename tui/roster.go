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
	d.node, d.role, d.dns, d.disk = "", "", d.given.Network.DNS, d.given.Disk
	name, ok := strings.CutPrefix(chosen, rosterWord)
	i := slices.IndexFunc(f.Enclave.Nodes, func(n spec.Node) bool { return n.Name == name })
	if !ok || i < 0 {
		return d
	}
	n := d.entry(f.Enclave.Nodes[i])
	d.node, d.role, d.dns, d.disk = name, n.Role, n.Network.DNS, n.Disk
	return d.with(FieldName, n.Name).with(FieldDisk, "").addressed(n.Network)
}

// roleOf is the role, whichever way it was chosen.
func (d Draft) roleOf() string {
	if d.node != "" {
		return d.role
	}
	return trimmed(d, FieldRole)
}

// asEntry goes straight to the review with a node of the roster, and on to the
// next question with a new one.
func (w Wizard) asEntry() (Wizard, []Effect) {
	if w.draft.node != "" {
		return w.toReview()
	}
	return w.next()
}
