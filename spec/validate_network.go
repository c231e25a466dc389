package spec

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// nodeMaskBits is the size of each node's part of the pod network, the default
// of kube-controller-manager's --node-cidr-mask-size for IPv4.
const nodeMaskBits = 24

// network checks the cluster's ranges, then the nodes' addresses against them:
// an overlap works at the desk and fails as a route that leads nowhere.
func (p *problems) network(e Enclave) {
	pod, podOK := p.cidr("network.podCIDR", e.Network.PodCIDR)
	service, serviceOK := p.cidr("network.serviceCIDR", e.Network.ServiceCIDR)
	if podOK {
		if pod.Bits() > nodeMaskBits {
			p.bad("network.podCIDR", pod.String(), fmt.Sprintf("a range of /%d or larger: each node takes a /%d of it", nodeMaskBits, nodeMaskBits), "")
		} else if room := 1 << (nodeMaskBits - pod.Bits()); room < len(e.Nodes) {
			p.clash("network.podCIDR", fmt.Sprintf("%s, with room for %d nodes", pod, room), fmt.Sprintf("room for the %d of the roster", len(e.Nodes)), "")
		}
	}
	// kube-apiserver: "specified --service-cluster-ip-range is too large" beyond 20 bits.
	if serviceOK && (service.Bits() < 12 || service.Bits() > 28) {
		p.bad("network.serviceCIDR", service.String(), "a range between /12 and /28", "")
	}
	if pod.Overlaps(service) {
		p.clash("network.serviceCIDR", service.String(), "a range apart from network.podCIDR "+pod.String(), "")
	}
	p.resolvers("network.dns", e.Network.DNS)
	p.outside("network.dns", e.Network.DNS, pod, service)
	p.nodeAddresses(e, pod, service)
}

// resolvers checks the form of a list of name servers.
func (p *problems) resolvers(path string, list []string) {
	for i, s := range list {
		p.unicast(item(path, i), s)
	}
	p.unique(path, list)
}

// outside checks that resolvers are machines of the enclave. A range that could
// not be read is the zero value, which contains and overlaps nothing.
func (p *problems) outside(path string, list []string, pod, service netip.Prefix) {
	for i, s := range list {
		addr, err := netip.ParseAddr(s)
		switch {
		case err != nil:
		case pod.Contains(addr):
			p.clash(item(path, i), s, "an address outside network.podCIDR "+pod.String(), "")
		case service.Contains(addr):
			p.clash(item(path, i), s, "an address outside network.serviceCIDR "+service.String(), "name resolvers of the enclave: the cluster's own DNS is set up by the profile")
		}
	}
}

func (p *problems) nodeAddresses(e Enclave, pod, service netip.Prefix) {
	seen := owners{}
	for i, n := range e.Nodes {
		p.outside(child(item("nodes", i), "network.dns"), n.Network.DNS, pod, service)
		at := child(item("nodes", i), "network.address")
		prefix, err := netip.ParsePrefix(n.Network.Address)
		if err != nil {
			continue
		}
		p.once(seen, at, prefix.Addr().String(), item("nodes", i), "each node its own address")
		if prefix.Overlaps(pod) {
			p.clash(at, n.Network.Address, "a network apart from network.podCIDR "+pod.String(), "choose another podCIDR")
		}
		if prefix.Overlaps(service) {
			p.clash(at, n.Network.Address, "a network apart from network.serviceCIDR "+service.String(), "choose another serviceCIDR")
		}
	}
}

// cidr reads an IPv4 range written as its first address.
func (p *problems) cidr(path, text string) (netip.Prefix, bool) {
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil || !prefix.Addr().Is4():
		p.bad(path, quoted(text), "an IPv4 range such as 10.42.0.0/16", "")
	case prefix != prefix.Masked():
		p.bad(path, quoted(text), "the first address of the range", "did you mean "+prefix.Masked().String()+"?")
	case !usable(prefix.Addr()):
		p.bad(path, quoted(text), "a range of ordinary unicast addresses", "")
	default:
		return prefix, true
	}
	return netip.Prefix{}, false
}

// hostPrefix reads an IPv4 address of a machine with the length of its network.
func (p *problems) hostPrefix(path, text string) (netip.Prefix, bool) {
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil || !prefix.Addr().Is4():
		hint := ""
		if addr, err := netip.ParseAddr(text); err == nil && addr.Is4() {
			hint = "did you mean " + text + "/24?"
		}
		p.bad(path, quoted(text), "an IPv4 address with the length of its network, as in 10.20.0.11/24", hint)
	case !usable(prefix.Addr()) || prefix.Bits() == 0:
		p.bad(path, quoted(text), "an ordinary unicast address", "")
	case prefix.Bits() < 31 && prefix.Addr() == prefix.Masked().Addr():
		p.bad(path, quoted(text)+", the name of the network itself", "the address of a machine in it", "")
	case prefix.Bits() < 31 && !prefix.Contains(prefix.Addr().Next()):
		p.bad(path, quoted(text)+", the broadcast address", "the address of a machine", "")
	default:
		return prefix, true
	}
	return netip.Prefix{}, false
}

func (p *problems) unicast(path, text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil || !addr.Is4() || !usable(addr) {
		p.bad(path, quoted(text), "an IPv4 address such as 10.20.0.1", "")
		return netip.Addr{}, false
	}
	return addr, true
}

// usable leaves out what no machine can have (RFC 6890): this-network,
// loopback, link-local, multicast and reserved addresses.
func usable(a netip.Addr) bool {
	b := a.As4()
	return b[0] != 0 && !a.IsLoopback() && !a.IsLinkLocalUnicast() && b[0] < 224
}

// RFC 1123 section 2.1: host names of labels joined by dots.
var hostForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$`)

// servers checks a list of hosts, each an address or a name.
func (p *problems) servers(path string, list []string) {
	for i, s := range list {
		if addr, err := netip.ParseAddr(s); err == nil && !addr.IsUnspecified() && !addr.IsMulticast() {
			continue
		}
		if !hostForm.MatchString(s) || len(s) > 253 || strings.Trim(s, "0123456789.") == "" {
			p.bad(item(path, i), quoted(s), "the address or the name of a host", "")
		}
	}
	p.unique(path, list)
}

func (p *problems) unique(path string, list []string) {
	seen := owners{}
	for i, s := range list {
		p.once(seen, item(path, i), s, item(path, i), "each one once")
	}
}
