package tui

import (
	"cmp"
	"strconv"
	"strings"

	"caisson.dev/caisson/spec"
)

// configured is what the node will be, for the review: the plan's steps hold its
// configuration by digest alone. It is read from the answers that the plan was made
// from, the roster's entry and all defaults included.
func (w Wizard) configured() []line {
	e, a := w.facts.Enclave, w.planned
	n := a.Network
	out := []line{row("Node", Span{a.Name, Strong}, Span{", " + a.Role, Plain}),
		row("Kubernetes", Span{e.Kubernetes.Profile + " " + e.Kubernetes.Version, Plain})}
	if j := w.joins(); j != nil {
		address, _, _ := strings.Cut(j.Network.Address, "/")
		out = append(out, row("Joins", Span{j.Name + " at " + address, Plain}))
	}
	gateway := orNone(n.Gateway)
	if n.Address == "" {
		gateway = orDHCP("")
	}
	out = append(out, row("Address", Span{orDHCP(n.Address), Strong}), row("Gateway", Span{gateway, Plain}), row("Card", Span{linkText(n), Plain}),
		row("DNS", Span{orNone(strings.Join(a.Resolvers(e), " ")), Plain}),
		row("Time servers", Span{cmp.Or(strings.Join(a.TimeServers(e), " "), "none: the node keeps its own clock"), Plain}))
	if len(a.Users) == 0 {
		return append(out, row("Accounts", Span{marks[Warn] + "none: nobody can log in to the node", Warn}))
	}
	for i, u := range a.Users {
		out = append(out, row(when(i == 0, "Accounts"), Span{u.Name, Strong},
			Span{": " + list(box(u.Admin, "may act as root", "may log in"), count(len(u.SSHKeys), "key"), when(u.PasswordHash != "", "a password")), Plain}))
	}
	return out
}

// linkText is what the address is on.
func linkText(n spec.NodeNetwork) string {
	on := cmp.Or(n.Interface, "every Ethernet card that has a link")
	switch {
	case n.Interface == spec.NoInterface:
		return "none: the node stands alone"
	case len(n.Bond.Interfaces) > 0:
		on = "bond of " + strings.Join(n.Bond.Interfaces, " and ") + " (" + n.Bond.Mode + ")"
	}
	vlan, mtu := "untagged", "the card's own"
	if n.VLAN != 0 {
		vlan = "VLAN " + strconv.Itoa(n.VLAN)
	}
	if n.MTU != 0 {
		mtu = strconv.Itoa(n.MTU)
	}
	return list(on, vlan, "MTU "+mtu)
}

// joins is the roster's node whose cluster this one joins by itself; nil if it
// starts one, or if it is joined by hand.
func (w Wizard) joins() *spec.Node {
	j := w.facts.Places[w.planned.Role].Joins
	if j == nil || j.Name == cmp.Or(w.planned.Node, w.planned.Name) {
		return nil
	}
	return j
}

// unread says that Enter has to read on: nobody agrees to what was not shown.
func (w Wizard) unread(p page, l layout) bool {
	return p.whole && w.scroll < l.most && len(p.fields) > 0 && p.fields[min(w.focus, len(p.fields)-1)].id == "continue"
}
