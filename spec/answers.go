package spec

import (
	"cmp"
	"slices"
	"strings"
)

// The forms of Confirm.Erase.
const (
	EraseAny      = "any"
	EraseAnyBlank = "any-blank"
	EraseSerial   = "serial:" // and the disk's serial number
	EraseByID     = "by-id:"  // and its name under /dev/disk/by-id
)

// ValidateAnswers reports everything wrong with a, which may be partial.
func ValidateAnswers(a Answers) error {
	p := &problems{codes: answersCodes}
	p.header(a.APIVersion, a.Kind, KindAnswers)
	p.answers(a, false)
	return p.join("", nil)
}

// answers checks a; whole says that nothing will be added to it.
func (p *problems) answers(a Answers, whole bool) {
	if a.Node != "" {
		p.label("node", a.Node, "a roster entry's name")
	}
	if a.Name != "" {
		p.label("name", a.Name, "a node's name")
	}
	p.oneOf("role", a.Role, ControlPlane, Worker)
	p.disk("disk", a.Disk)
	p.nodeNetwork("network", a.Network, whole)
	p.servers("time.ntp", a.Time.NTP)
	p.users("users", a.Users)
	p.oneOf("after", a.After, "reboot", "poweroff", "stay")
	erase := a.Confirm.Erase
	switch {
	case erase == "" || erase == EraseAny || erase == EraseAnyBlank:
	case strings.HasPrefix(erase, EraseSerial) && erase != EraseSerial:
	case strings.HasPrefix(erase, EraseByID) && erase != EraseByID && !strings.Contains(erase, "/"):
	default:
		p.bad("confirm.erase", quoted(erase), "serial:NUMBER, by-id:NAME, any-blank or any", "")
	}
	serial, byID := strings.CutPrefix(erase, EraseSerial)
	if byID && a.Disk.Serial != "" && serial != a.Disk.Serial {
		p.clash("confirm.erase", quoted(erase), "consent for the disk that disk.serial names: "+quoted(a.Disk.Serial), "")
	}
	name, ok := strings.CutPrefix(erase, EraseByID)
	if ok && a.Disk.ByID != "" && name != a.Disk.ByID {
		p.clash("confirm.erase", quoted(erase), "consent for the disk that disk.byID names: "+quoted(a.Disk.ByID), "")
	}
}

// Merge lays answers over a roster entry: what answers say wins, field by
// field. How to choose the disk is one decision, so that a selector in the
// answers replaces the entry's whole selector and never mixes with it.
func Merge(roster Node, a Answers) Answers {
	fill(&a.Name, roster.Name)
	fill(&a.Role, roster.Role)
	least := a.Disk.MinSize
	if a.Disk.ByID == "" && a.Disk.Serial == "" && a.Disk.Choose == "" {
		a.Disk = roster.Disk
	}
	if a.Disk.MinSize = least; least == 0 {
		a.Disk.MinSize = roster.Disk.MinSize
	}
	a.Network = mergeNetwork(roster.Network, a.Network)
	return a
}

// mergeNetwork keeps together what is one decision: an address and its gateway,
// and whether one card or a bond carries them. Without a card, nothing that only
// a card can have is taken from below.
func mergeNetwork(under, n NodeNetwork) NodeNetwork {
	if n.Interface == NoInterface {
		fill(&n.Address, under.Address)
		return n
	}
	if n.Address == "" {
		n.Address = under.Address
		fill(&n.Gateway, under.Gateway)
	}
	if n.Interface == "" && !n.Bond.given() {
		n.Interface, n.Bond = under.Interface, under.Bond
	}
	n.VLAN, n.MTU = cmp.Or(n.VLAN, under.VLAN), cmp.Or(n.MTU, under.MTU)
	if len(n.DNS) == 0 {
		n.DNS = under.DNS
	}
	return n
}

// Resolvers are those that the node asks: its own, else the enclave's.
func (a Answers) Resolvers(e Enclave) []string {
	if len(a.Network.DNS) > 0 {
		return a.Network.DNS
	}
	return e.Network.DNS
}

// TimeServers are those that the node asks: its own, else the enclave's.
func (a Answers) TimeServers(e Enclave) []string {
	if len(a.Time.NTP) > 0 {
		return a.Time.NTP
	}
	return e.Time.NTP
}

// Complete makes answers whole: the roster entry that a.Node names under the
// answers, the Spec's users under the answers' users (by name), and defaults.
// The result passed every check, on its own and against the Spec. It is pure;
// what order files and the kernel command line are read in is the caller's.
func Complete(e Enclave, a Answers) (Answers, error) {
	p := &problems{codes: answersCodes}
	a.APIVersion, a.Kind = APIVersion, KindAnswers
	if a.Node != "" {
		i := slices.IndexFunc(e.Nodes, func(n Node) bool { return n.Name == a.Node })
		if i < 0 {
			p.add(AnswersNode, "node", quoted(a.Node), rosterNames(e), didYouMean(a.Node, names(e)))
			return a, p.join("", nil)
		}
		a = Merge(e.Nodes[i], a)
	}
	a.Users = overrideUsers(e.Users, a.Users)
	fill(&a.After, DefaultAfter)
	a.Network.Bond.fill()
	if a.Name == "" {
		p.add(AnswersIncomplete, "name", "nothing", "the node's name", "name a roster entry in node, or give name and role")
	}
	if a.Role == "" {
		p.add(AnswersIncomplete, "role", "nothing", ControlPlane+" or "+Worker, "")
	}
	p.answers(a, true)
	p.fits(e, a)
	return a, p.join("", nil)
}

// fits checks the answers against the rest of the Spec, by the Spec's own rules:
// the node takes its place in the roster, and only new contradictions count.
func (p *problems) fits(e Enclave, a Answers) {
	if a.Node != "" && a.Name != a.Node && slices.Contains(names(e), a.Name) {
		p.clash("name", quoted(a.Name)+", the name of another roster entry", "a name of its own", "to be that entry, write node: "+a.Name)
	}
	others := slices.DeleteFunc(slices.Clone(e.Nodes), func(n Node) bool { return n.Name == a.Name || n.Name == a.Node })
	e.Nodes = append(others, Node{Name: a.Name, Role: a.Role, Network: a.Network})
	check := &problems{codes: answersCodes}
	check.network(e)
	self := item("nodes", len(others))
	for _, x := range check.list {
		if rest, ok := strings.CutPrefix(x.path, self+"."); ok {
			x.path = rest
			p.list = append(p.list, x)
		}
	}
}

func overrideUsers(under, over []User) []User {
	var out []User
	for _, u := range under {
		if !slices.ContainsFunc(over, func(o User) bool { return o.Name == u.Name }) {
			out = append(out, u)
		}
	}
	return append(out, over...)
}

func names(e Enclave) []string {
	var out []string
	for _, n := range e.Nodes {
		out = append(out, n.Name)
	}
	return out
}

func rosterNames(e Enclave) string {
	if len(e.Nodes) == 0 {
		return "no roster entry: the Spec has no nodes"
	}
	return "a roster entry: one of " + strings.Join(names(e), ", ")
}

func didYouMean(name string, list []string) string {
	if near := Nearest(name, list); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}
