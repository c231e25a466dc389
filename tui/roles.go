package tui

import (
	"fmt"
	"slices"
	"strings"

	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/spec"
)

// What the screen calls a control-plane: it starts a cluster, joins one, or is one.
const (
	starter = spec.ControlPlane
	joiner  = "join a control-plane"
	edgeBox = "rugged edge"
)

// roles are all that a new node can be for, in the order of the screen: as in
// spec.Answers, in the screen's words, and what it does.
var roles = []struct{ name, words, sentence string }{
	{spec.ControlPlane, starter, "Runs the cluster itself. The first node of an enclave is one."},
	{spec.ControlPlane, joiner, "Runs the cluster together with the others. Of three, one may fail."},
	{spec.ControlPlane, edgeBox, "One box that is a whole small cluster, server and worker."},
	{spec.Worker, spec.Worker, "Runs programs. It needs a control-plane node to join."},
}

// called is what the screens of this medium call a role.
func (f Facts) called(role string) string {
	switch p := f.Places[role]; {
	case role != spec.ControlPlane:
		return role
	case f.Enclave.Kubernetes.Profile == spec.ProfileK3s:
		return edgeBox
	case p.Joins != nil || p.Err != nil:
		return joiner
	}
	return starter
}

// lacksRole is why the medium has no role of those words; "" says nothing of one
// that it has under others.
func (f Facts) lacksRole(role, words string) string {
	profile := f.Enclave.Kubernetes.Profile
	switch {
	case words == f.called(role):
		return "its profile has none"
	case words == edgeBox:
		return "that needs one with the profile " + spec.ProfileK3s
	case words == joiner && profile == spec.ProfileRKE2:
		return "its roster has none to join"
	case words == joiner:
		return "its profile has only one"
	case profile == spec.ProfileK3s:
		return ""
	}
	return "its roster names the first"
}

// offers says whether the medium's profile has the role.
func (f Facts) offers(role string) bool {
	_, ok := f.Needs[role]
	return ok
}

// names says whether the roster has a node of that name.
func (f Facts) names(node string) bool {
	return slices.ContainsFunc(f.Enclave.Nodes, func(n spec.Node) bool { return n.Name == node })
}

func (w Wizard) rolePage() page {
	p := page{title: "role", lines: []line{say("What is this node for?"), {}},
		help: []string{"The first node is a control-plane: it holds the cluster's state.", "A worker has no use without one.",
			"A node of the roster brings its name and address with it."}}
	f := field{id: FieldRole, kind: choice, label: "Role", do: Wizard.asEntry}
	for _, r := range roles {
		if r.words == w.facts.called(r.name) && w.facts.offers(r.name) {
			f.options = append(f.options, w.roleOption(r.name, r.words, r.sentence))
		} else if why := w.facts.lacksRole(r.name, r.words); why != "" {
			p.foot = append(p.foot, dim(sentenceCase(r.words)+": not on this medium: "+why+"."))
			p.help = append(p.help, sentenceCase(r.words)+": "+r.sentence+" Not on this medium: "+why+".")
		}
	}
	f.options = append(f.options, w.facts.entries()...)
	p.fields = []field{f}
	return p
}

// roleOption is a role to choose, or why it cannot be.
func (w Wizard) roleOption(role, words, sentence string) option {
	n, at := w.facts.Needs[role], w.facts.Places[role]
	if at.Joins != nil {
		what, _, _ := strings.Cut(sentence, ". ")
		address, _, _ := strings.Cut(at.Joins.Network.Address, "/")
		sentence = what + ". It joins " + at.Joins.Name + " at " + address + "."
	}
	o := option{value: role, label: words, more: []line{say(sentence)}}
	o.more = append(o.more, dim(fmt.Sprintf("Needs %s of memory, %s, a disk with %s beside the medium's own content.", n.Memory, count(n.CPUs, "processor"), n.Disk)))
	if lacks := w.lacks(role); len(lacks) > 0 {
		o.refused = strings.Join(lacks, "; ")
	}
	for _, err := range fault.All(at.Err) {
		_, have, need := parts(err.What)
		o.refused = "not on this medium: have " + have + ", need " + need
	}
	return o
}

// entries are the roster's nodes as answers to what this node is.
func (f Facts) entries() []option {
	var out []option
	for _, n := range f.Enclave.Nodes {
		at := n.Network.Address
		if at == "" {
			at = "DHCP"
		}
		words := n.Role
		if f.called(n.Role) == edgeBox {
			words = edgeBox
		}
		out = append(out, option{value: rosterWord + n.Name, label: n.Name, more: []line{say(list("Of the roster: "+words, at))}})
	}
	return out
}
