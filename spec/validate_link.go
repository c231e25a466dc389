package spec

import (
	"fmt"
	"regexp"
	"strconv"
)

// NoInterface as a node's interface says that the machine has no network card.
const NoInterface = "none"

// The modes of a bond.
const (
	BondActiveBackup = "active-backup"
	BondLACP         = "802.3ad"
)

// Names of the links that a node makes itself. VLANLink names the third kind.
const (
	BondLink  = "bond0"
	DummyLink = "caisson0" // holds the address where there is no card
)

// NowhereAddress is what DummyLink has where RKE2 or K3s want a default route and
// there is none (package host): an address for documentation (RFC 5737), nobody's.
const NowhereAddress = "203.0.113.254"

// VLANLink is the name of the link that is a node's end of a VLAN.
func VLANLink(id int) string { return "vlan" + strconv.Itoa(id) }

// The ranges of IEEE 802.1Q (0 and 4095 are reserved) and of packet sizes: from
// what every IPv4 host takes (RFC 791) to the jumbo frames of common switches.
const (
	leastVLAN, mostVLAN = 1, 4094
	leastMTU, mostMTU   = 576, 9216
)

var (
	// Linux's IFNAMSIZ is 16 with the final zero. Of what else the kernel takes,
	// only this much is a name, and no pattern, to the node's network service.
	interfaceForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,15}$`)
	// What is no card, or is made by the node itself.
	noCard = regexp.MustCompile(`^(none|lo|\.|\.\.|caisson0|bond0|vlan[0-9]+)$`)
)

// nodeNetwork checks one node's network. whole says that n is all there is: in
// partial answers, what is missing may come from the roster.
func (p *problems) nodeNetwork(at string, n NodeNetwork, whole bool) {
	p.link(at, n, whole)
	p.addressing(at, n, whole)
	p.resolvers(child(at, "dns"), n.DNS)
}

// link checks what the address is put on: a card or a bond, and a VLAN on it.
func (p *problems) link(at string, n NodeNetwork, whole bool) {
	if n.Interface != "" && n.Interface != NoInterface && !isCard(n.Interface) {
		p.bad(child(at, "interface"), quoted(n.Interface), "the kernel's name of a network card, its MAC address, or "+NoInterface, "")
	}
	p.between(child(at, "vlan"), n.VLAN, leastVLAN, mostVLAN)
	p.between(child(at, "mtu"), n.MTU, leastMTU, mostMTU)
	if n.Bond.given() {
		p.bond(child(at, "bond"), n.Bond)
		if n.Interface != "" {
			p.clash(child(at, "bond"), "a bond and interface "+n.Interface, "one of them", "list all cards in bond.interfaces, and leave interface out")
		}
	}
	if n.Interface == NoInterface {
		for _, f := range []struct {
			name  string
			given bool
		}{{"vlan", n.VLAN != 0}, {"mtu", n.MTU != 0}, {"dns", len(n.DNS) > 0}} {
			if f.given {
				p.clash(child(at, f.name), f.name+" with interface "+NoInterface, "none: there is no network card", "")
			}
		}
	}
	if whole && n.VLAN != 0 && n.Interface == "" && !n.Bond.given() {
		p.clash(child(at, "vlan"), "a VLAN on no card in particular", "interface or bond beside it", "a VLAN is on one link; name the card that is plugged into it")
	}
}

func (p *problems) between(at string, have, least, most int) {
	if have != 0 && (have < least || have > most) {
		p.bad(at, strconv.Itoa(have), fmt.Sprintf("a number from %d to %d", least, most), "")
	}
}

func (b Bond) given() bool { return len(b.Interfaces) > 0 || b.Mode != "" }

func (p *problems) bond(at string, b Bond) {
	p.oneOf(child(at, "mode"), b.Mode, BondActiveBackup, BondLACP)
	list := child(at, "interfaces")
	if n := len(b.Interfaces); n < 2 {
		p.bad(list, strconv.Itoa(n)+" of them", "two network cards or more", "a single card goes in interface")
	}
	seen := owners{}
	for i, s := range b.Interfaces {
		here := item(list, i)
		if !isCard(s) {
			p.bad(here, quoted(s), "the kernel's name of a network card, or its MAC address", "")
			continue
		}
		if mac := canonicalMAC(s); mac != "" {
			s = mac
		}
		p.once(seen, here, s, here, "each card once")
	}
}

func isCard(s string) bool {
	return canonicalMAC(s) != "" || interfaceForm.MatchString(s) && !noCard.MatchString(s)
}

func (p *problems) addressing(at string, n NodeNetwork, whole bool) {
	if n.Address == "" {
		if !whole {
			if n.Gateway != "" {
				p.unicast(child(at, "gateway"), n.Gateway)
			}
			return
		}
		if n.Interface == NoInterface {
			p.clash(child(at, "address"), "no address with interface "+NoInterface, "the address that the node shall have", "no network card means no DHCP")
		}
		if n.Gateway != "" {
			p.clash(child(at, "gateway"), "a gateway without an address", "both, or neither for DHCP", "")
		}
		return
	}
	prefix, ok := p.hostPrefix(child(at, "address"), n.Address)
	if n.Gateway == "" {
		return
	}
	if n.Interface == NoInterface {
		p.clash(child(at, "gateway"), "a gateway with interface "+NoInterface, "none: there is no network to leave by", "")
		return
	}
	gateway, gatewayOK := p.unicast(child(at, "gateway"), n.Gateway)
	switch {
	case !ok || !gatewayOK:
	case gateway == prefix.Addr():
		p.clash(child(at, "gateway"), n.Gateway+", the node's own address", "another machine", "")
	case !prefix.Contains(gateway):
		p.clash(child(at, "gateway"), n.Gateway, "an address in "+prefix.Masked().String()+", the node's own network", "")
	case prefix.Bits() < 31 && (gateway == prefix.Masked().Addr() || !prefix.Contains(gateway.Next())):
		p.clash(child(at, "gateway"), n.Gateway+", the first or last address of "+prefix.Masked().String(), "the address of a machine in it", "")
	}
}
