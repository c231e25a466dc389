package host

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/spec"
)

// noInterface is the interface name that means: this node has no NIC.
const noInterface = "none"

const networkDir = "/etc/systemd/network/"

// linkForm is a kernel interface name (IFNAMSIZ is 16) that systemd-networkd
// reads as a name and not as a pattern.
var linkForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,15}$`)

// bondMonitor is how often a bond looks at its cards' carriers; without it, the
// kernel never finds a card dead.
const bondMonitor = "100ms"

// quiet is for every link: no address but the one that is asked for.
var quiet = []string{"LinkLocalAddressing=no", "IPv6AcceptRA=no", "LLMNR=no", "MulticastDNS=no"}

// networkFiles is the node's own network for systemd-networkd
// (systemd.network(5)). A node without a NIC has a dummy interface with its
// address and a default route, on which software insists: what is sent there
// ends there. Else links are stacked: cards, a bond of them, a VLAN on either;
// the address is on the topmost, which 10-caisson.network is for.
func networkFiles(n spec.NodeNetwork, val Node) ([]images.ServiceFile, error) {
	if err := checkNetwork(n); err != nil {
		return nil, err
	}
	if n.Interface == noInterface {
		return []images.ServiceFile{
			text(networkDir+"10-caisson.netdev", "[NetDev]", "Name="+spec.DummyLink, "Kind=dummy"),
			text(networkDir+"10-caisson.network", slices.Concat(
				[]string{"[Match]", "Name=" + spec.DummyLink, "", "[Network]", "Address=" + n.Address}, quiet,
				// No gateway: none is there to answer.
				[]string{"", "[Route]", "Destination=0.0.0.0/0"}, unreachable(val))...),
		}, nil
	}
	var files []images.ServiceFile
	top, err := matchLink(n.Interface, "MACAddress")
	if err != nil {
		return nil, err
	}
	if len(n.Bond.Interfaces) > 0 {
		files = append(files, text(networkDir+"10-caisson-bond.netdev", slices.Concat(
			[]string{"[NetDev]", "Name=" + spec.BondLink, "Kind=bond"}, mtu(n), []string{""}, bond(n.Bond.Mode))...))
		for i, card := range n.Bond.Interfaces {
			// Cards in a bond have one address; each keeps its own as the permanent one.
			match, err := matchLink(card, "PermanentMACAddress")
			if err != nil {
				return nil, err
			}
			files = append(files, below(fmt.Sprintf("card%d", i+1), match, n, "Bond="+spec.BondLink))
		}
		top = []string{"Name=" + spec.BondLink}
	}
	if n.VLAN != 0 {
		vlan := spec.VLANLink(n.VLAN)
		files = append(files,
			text(networkDir+"10-caisson-vlan.netdev", "[NetDev]", "Name="+vlan, "Kind=vlan", "", "[VLAN]", fmt.Sprintf("Id=%d", n.VLAN)),
			below("trunk", top, n, "VLAN="+vlan))
		top = []string{"Name=" + vlan}
	}
	lines := append([]string{"[Match]"}, top...)
	if n.MTU != 0 {
		lines = append(append(lines, "", "[Link]"), mtu(n)...)
	}
	lines = append(append(lines, "", "[Network]"), quiet...)
	if n.Address == "" {
		// Names and time come from the Spec, not from whoever answers DHCP.
		lines = append(lines, "DHCP=ipv4", "", "[DHCPv4]", "UseDNS=no", "UseNTP=no", "UseDomains=no", "UseHostname=no", "SendHostname=no")
	} else {
		lines = append(lines, "Address="+n.Address)
		if n.Gateway != "" {
			lines = append(lines, "Gateway="+n.Gateway)
		}
	}
	files = append(files, text(networkDir+"10-caisson.network", append(lines, unreachable(val)...)...))
	if val.Insists && n.Gateway == "" {
		files = append(files, nowhere()...)
	}
	return files, nil
}

// nowhere is a default route to a dummy interface, for a node whose own network
// has none: RKE2 and K3s find no address to start with else, and packets for
// services find no way into the rules that catch them (rke2-docs
// docs/install/airgap.md, "Default Network Route"; the address is the one there).
// Its metric is behind that of any route that DHCP brings (1024).
func nowhere() []images.ServiceFile {
	return []images.ServiceFile{
		text(networkDir+"20-caisson-nowhere.netdev", "[NetDev]", "Name="+spec.DummyLink, "Kind=dummy"),
		text(networkDir+"20-caisson-nowhere.network", slices.Concat(
			[]string{"[Match]", "Name=" + spec.DummyLink, "", "[Link]", "RequiredForOnline=no", "", "[Network]", "Address=" + spec.NowhereAddress + "/31"}, quiet,
			[]string{"", "[Route]", "Gateway=203.0.113.255", "Metric=4096"})...),
	}
}

// checkNetwork refuses what package spec refuses: whoever made the answers, no
// unit is written that means something else than they say.
func checkNetwork(n spec.NodeNetwork) error {
	if g, err := netip.ParseAddr(n.Gateway); n.Gateway != "" && (err != nil || !g.Is4()) {
		return Unusable("network.gateway", n.Gateway, "an IPv4 address")
	}
	bonded := len(n.Bond.Interfaces) > 0
	switch {
	case n.Interface == noInterface && n.Address == "":
		return Unusable("network.address", n.Address, "an address, because a node without an interface has no DHCP")
	case bonded && n.Interface != "":
		return Unusable("network.interface", n.Interface, "none beside network.bond")
	case bonded && n.Bond.Mode != spec.BondActiveBackup && n.Bond.Mode != spec.BondLACP:
		return Unusable("network.bond.mode", n.Bond.Mode, spec.BondActiveBackup+" or "+spec.BondLACP)
	case n.VLAN < 0 || n.VLAN > 4094:
		return Unusable("network.vlan", strconv.Itoa(n.VLAN), "a number from 1 to 4094")
	case n.VLAN != 0 && !bonded && (n.Interface == "" || n.Interface == noInterface):
		return Unusable("network.interface", n.Interface, "the card that carries network.vlan")
	case n.MTU != 0 && (n.MTU < 576 || n.MTU > 9216):
		return Unusable("network.mtu", strconv.Itoa(n.MTU), "a number from 576 to 9216")
	}
	return nil
}

// bond is the section of a bond's own settings (systemd.netdev(5)).
func bond(mode string) []string {
	lines := []string{"[Bond]", "Mode=" + mode, "MIIMonitorSec=" + bondMonitor}
	if mode == spec.BondLACP {
		// By address as well as by card: else all that goes to one gateway shares one cable.
		lines = append(lines, "TransmitHashPolicy=layer2+3")
	}
	return lines
}

// below is a link that carries another: it has no address, and to have it up is
// not to be online.
func below(name string, match []string, n spec.NodeNetwork, carries string) images.ServiceFile {
	return text(networkDir+"10-caisson-"+name+".network", slices.Concat(
		[]string{"[Match]"}, match,
		[]string{"", "[Link]"}, mtu(n), []string{"RequiredForOnline=no"},
		[]string{"", "[Network]", carries}, quiet)...)
}

func mtu(n spec.NodeNetwork) []string {
	if n.MTU == 0 {
		return nil
	}
	return []string{fmt.Sprintf("MTUBytes=%d", n.MTU)}
}

// matchLink finds the node's interface. Without a name it is any real Ethernet
// card: Kind=!* leaves out bridges and the pods' own links.
// key is the setting to find it by its MAC address with.
func matchLink(name, key string) ([]string, error) {
	if name == "" {
		return []string{"Type=ether", "Kind=!*"}, nil
	}
	if mac, err := net.ParseMAC(name); err == nil && len(mac) == 6 {
		return []string{key + "=" + mac.String(), "Type=ether", "Kind=!*"}, nil
	}
	if !linkForm.MatchString(name) {
		return nil, Unusable("network.interface", name, "a kernel interface name, a MAC address or "+noInterface)
	}
	return []string{"Name=" + name}, nil
}

// unreachable makes questions for names fail at once, on this node.
func unreachable(val Node) []string {
	if len(val.DNS) > 0 {
		return nil
	}
	return []string{"", "[Route]", "Destination=" + noResolver + "/32", "Type=unreachable"}
}

func text(path string, lines ...string) images.ServiceFile {
	return images.ServiceFile{Path: path, Mode: 0o644, Data: []byte(strings.Join(lines, "\n") + "\n")}
}
