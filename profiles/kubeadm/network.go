package kubeadm

import (
	"net"
	"net/netip"
	"regexp"
	"strings"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/spec"
)

// noInterface is the interface name that means: this node has no NIC.
const noInterface = "none"

// dummyInterface holds the address of a node that has no NIC.
const dummyInterface = "caisson0"

const networkDir = "/etc/systemd/network/"

// linkForm is a kernel interface name (IFNAMSIZ is 16) that systemd-networkd
// reads as a name and not as a pattern.
var linkForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,15}$`)

// networkFiles is the node's own network for systemd-networkd
// (systemd.network(5)). A node without a NIC has a dummy interface with its
// address and a default route, on which software insists: what is sent there
// ends there.
func networkFiles(n spec.NodeNetwork, val values) ([]images.ServiceFile, error) {
	if n.Gateway != "" {
		if g, err := netip.ParseAddr(n.Gateway); err != nil || !g.Is4() {
			return nil, unusable("network.gateway", n.Gateway, "an IPv4 address")
		}
	}
	if n.Interface == noInterface {
		if n.Address == "" {
			return nil, unusable("network.address", n.Address, "an address, because a node without an interface has no DHCP")
		}
		return []images.ServiceFile{
			text(networkDir+"10-caisson.netdev", "[NetDev]", "Name="+dummyInterface, "Kind=dummy"),
			text(networkDir+"10-caisson.network", append([]string{
				"[Match]", "Name=" + dummyInterface, "",
				"[Network]", "Address=" + n.Address, "LinkLocalAddressing=no", "IPv6AcceptRA=no", "LLMNR=no", "MulticastDNS=no", "",
				// No gateway: none is there to answer.
				"[Route]", "Destination=0.0.0.0/0",
			}, unreachable(val)...)...),
		}, nil
	}
	match, err := matchLink(n.Interface)
	if err != nil {
		return nil, err
	}
	lines := append([]string{"[Match]"}, match...)
	lines = append(lines, "", "[Network]", "LinkLocalAddressing=no", "IPv6AcceptRA=no", "LLMNR=no", "MulticastDNS=no")
	if n.Address == "" {
		// Names and time come from the Spec, not from whoever answers DHCP.
		lines = append(lines, "DHCP=ipv4", "", "[DHCPv4]", "UseDNS=no", "UseNTP=no", "UseDomains=no", "UseHostname=no", "SendHostname=no")
	} else {
		lines = append(lines, "Address="+n.Address)
		if n.Gateway != "" {
			lines = append(lines, "Gateway="+n.Gateway)
		}
	}
	return []images.ServiceFile{text(networkDir+"10-caisson.network", append(lines, unreachable(val)...)...)}, nil
}

// matchLink finds the node's interface. Without a name it is any real Ethernet
// card: Kind=!* leaves out bridges and the pods' own links.
func matchLink(name string) ([]string, error) {
	if name == "" {
		return []string{"Type=ether", "Kind=!*"}, nil
	}
	if mac, err := net.ParseMAC(name); err == nil && len(mac) == 6 {
		return []string{"MACAddress=" + mac.String(), "Type=ether", "Kind=!*"}, nil
	}
	if !linkForm.MatchString(name) {
		return nil, unusable("network.interface", name, "a kernel interface name, a MAC address or "+noInterface)
	}
	return []string{"Name=" + name}, nil
}

// unreachable makes questions for names fail at once, on this node.
func unreachable(val values) []string {
	if !val.needsUnreachableRoute {
		return nil
	}
	return []string{"", "[Route]", "Destination=" + noResolver + "/32", "Type=unreachable"}
}

func text(path string, lines ...string) images.ServiceFile {
	return images.ServiceFile{Path: path, Mode: 0o644, Data: []byte(strings.Join(lines, "\n") + "\n")}
}
