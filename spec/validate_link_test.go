package spec

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"caisson.dev/caisson/internal/fault"
)

// TestLink reads a roster entry's network; a mistake gives one fault, which
// names the field.
func TestLink(t *testing.T) {
	for _, c := range []struct {
		what, network string
		code          fault.Kind // zero: accepted
		says          string
	}{
		{what: "a VLAN on a card", network: "interface: eno1, vlan: 42, mtu: 9000, address: 10.1.0.2/24, gateway: 10.1.0.1"},
		{what: "a VLAN under DHCP", network: "interface: eno1, vlan: 4094"},
		{what: "a packet size for any card", network: "mtu: 576"},
		{what: "a bond", network: "bond: {interfaces: [eno1, eno2]}"},
		{what: "a bond of addresses, with a VLAN", network: `bond: {interfaces: ["52:54:00:00:00:01", 52-54-00-00-00-02], mode: 802.3ad}, vlan: 1, mtu: 9216`},
		{what: "resolvers", network: "dns: [10.1.0.53, 10.1.0.54]"},
		{"VLAN 0", "interface: eno1, vlan: 0", BadValue, `nodes[0].network.vlan: have "0", need a number from 1`},
		{"a VLAN below", "interface: eno1, vlan: -1", BadValue, "nodes[0].network.vlan"},
		{"a VLAN above", "interface: eno1, vlan: 4095", BadValue, "nodes[0].network.vlan: have 4095, need a number from 1 to 4094"},
		{"a VLAN in octal", "interface: eno1, vlan: 042", BadValue, `have "042", need a number from 1, in plain digits`},
		{"a VLAN in quotes", `interface: eno1, vlan: "42"`, WrongType, "have text, need a number"},
		{"half a VLAN", "interface: eno1, vlan: 4.5", WrongType, "nodes[0].network.vlan"},
		{"a VLAN of no card in particular", "vlan: 42", Conflict, "nodes[0].network.vlan: have a VLAN on no card in particular, need interface or bond"},
		{"a VLAN without a card", "interface: none, address: 10.1.0.2/24, vlan: 42", Conflict, "vlan with interface none"},
		{"a packet size without a card", "interface: none, address: 10.1.0.2/24, mtu: 1500", Conflict, "nodes[0].network.mtu"},
		{"resolvers without a card", "interface: none, address: 10.1.0.2/24, dns: [10.1.0.53]", Conflict, "nodes[0].network.dns"},
		{"small packets", "mtu: 575", BadValue, "nodes[0].network.mtu: have 575, need a number from 576 to 9216"},
		{"large packets", "mtu: 9217", BadValue, "nodes[0].network.mtu"},
		{"a bond beside a card", "interface: eno1, bond: {interfaces: [eno1, eno2]}", Conflict, "nodes[0].network.bond: have a bond and interface eno1, need one of them"},
		{"a bond without a card", "interface: none, address: 10.1.0.2/24, bond: {interfaces: [eno1, eno2]}", Conflict, "a bond and interface none"},
		{"a bond of one", "bond: {interfaces: [eno1]}", BadValue, "nodes[0].network.bond.interfaces: have 1 of them, need two network cards or more"},
		{"a bond of nothing", "bond: {mode: 802.3ad}", Missing, "nodes[0].network.bond.interfaces"},
		{"a bond of one card twice", `bond: {interfaces: ["52:54:00:AA:00:01", 52-54-00-aa-00-01]}`, Conflict, "nodes[0].network.bond.interfaces[1]"},
		{"a bond of no card", "bond: {interfaces: [eno1, none]}", BadValue, "nodes[0].network.bond.interfaces[1]"},
		{"a bond's mode", "bond: {interfaces: [eno1, eno2], mode: lacp}", BadValue, "one of active-backup, 802.3ad"},
		{"a pattern", "interface: eth*", BadValue, "nodes[0].network.interface"},
		{"a link that the node makes", "interface: vlan7", BadValue, "nodes[0].network.interface"},
		{"a resolver by name", "dns: [ns1]", BadValue, "nodes[0].network.dns[0]"},
		{"a resolver twice", "dns: [10.1.0.53, 10.1.0.53]", Conflict, "nodes[0].network.dns[1]"},
		{"a resolver among services", "dns: [10.1.0.53, 10.43.0.10]", Conflict, "nodes[0].network.dns[1]: have 10.43.0.10, need an address outside network.serviceCIDR"},
		{"a resolver among pods", "dns: [10.42.0.10]", Conflict, "outside network.podCIDR"},
	} {
		t.Run(c.what, func(t *testing.T) {
			_, err := Parse([]byte(least+"nodes: [{name: a, role: worker, network: {"+c.network+"}}]\n"), "")
			if c.code.Code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !c.code.Is(err) || !strings.Contains(err.Error(), c.says) || len(fault.All(err)) != 1 {
				t.Errorf("have %v\nwant %s alone, with %q", err, c.code.Code, c.says)
			}
		})
	}
}

func TestAllOfALinkAtOnce(t *testing.T) {
	_, err := Parse([]byte(least+"nodes: [{name: a, role: worker, network: {interface: none, vlan: 5000, mtu: 1, bond: {interfaces: [a/b]}, dns: [x]}}]\n"), "")
	for _, s := range []string{"vlan: have 5000", "mtu: have 1,", "interfaces: have 1 of them", `interfaces[0]: have "a/b"`,
		"a bond and interface none", "vlan with interface none", "mtu with interface none", "dns with interface none", `dns[0]: have "x"`, "no address with interface none"} {
		if err == nil || !strings.Contains(err.Error(), s) {
			t.Errorf("no %q in %v", s, err)
		}
	}
}

func TestMergeNetwork(t *testing.T) {
	bond := Bond{Interfaces: []string{"eno1", "eno2"}, Mode: BondLACP}
	bonded := NodeNetwork{Bond: bond, VLAN: 42, MTU: 9000, Address: "10.1.0.2/24", Gateway: "10.1.0.1", DNS: []string{"10.1.0.53"}}
	for _, c := range []struct {
		what     string
		under, n NodeNetwork
		want     NodeNetwork
	}{
		{"nothing said", bonded, NodeNetwork{}, bonded},
		{"a card in place of the bond", bonded, NodeNetwork{Interface: "eno3"},
			NodeNetwork{Interface: "eno3", VLAN: 42, MTU: 9000, Address: "10.1.0.2/24", Gateway: "10.1.0.1", DNS: bonded.DNS}},
		{"a bond in place of the card", NodeNetwork{Interface: "eno3", Address: "10.1.0.2/24"}, NodeNetwork{Bond: bond}, NodeNetwork{Bond: bond, Address: "10.1.0.2/24"}},
		{"another bond is whole", bonded, NodeNetwork{Bond: Bond{Interfaces: []string{"a", "b"}}},
			NodeNetwork{Bond: Bond{Interfaces: []string{"a", "b"}}, VLAN: 42, MTU: 9000, Address: "10.1.0.2/24", Gateway: "10.1.0.1", DNS: bonded.DNS}},
		{"VLAN, packet size and resolvers", bonded, NodeNetwork{VLAN: 7, MTU: 1500, DNS: []string{"10.1.0.9"}},
			NodeNetwork{Bond: bond, VLAN: 7, MTU: 1500, Address: "10.1.0.2/24", Gateway: "10.1.0.1", DNS: []string{"10.1.0.9"}}},
		{"no card: the address alone", bonded, NodeNetwork{Interface: NoInterface}, NodeNetwork{Interface: NoInterface, Address: "10.1.0.2/24"}},
		{"a card in place of none", NodeNetwork{Interface: NoInterface, Address: "10.1.0.2/24"}, NodeNetwork{Interface: "eno1", VLAN: 5}, NodeNetwork{Interface: "eno1", VLAN: 5, Address: "10.1.0.2/24"}},
	} {
		if diff := cmp.Diff(c.want, mergeNetwork(c.under, c.n)); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.what, diff)
		}
	}
}

// TestCompleteFillsTheBond gives the mode that was left open, in both files.
func TestCompleteFillsTheBond(t *testing.T) {
	e := roster()
	e.Nodes[0].Network = NodeNetwork{Bond: Bond{Interfaces: []string{"eno1", "eno2"}}}
	if Default(&e); e.Nodes[0].Network.Bond.Mode != BondActiveBackup {
		t.Errorf("the roster's mode is %q", e.Nodes[0].Network.Bond.Mode)
	}
	a, err := Complete(e, Answers{Node: "w1", Network: NodeNetwork{Bond: Bond{Interfaces: []string{"eno1", "eno2"}}}})
	if err != nil || a.Network.Bond.Mode != BondActiveBackup {
		t.Errorf("the answers' mode is %q, %v", a.Network.Bond.Mode, err)
	}
}

func TestServersOfTheNodeReplaceTheEnclaves(t *testing.T) {
	e := Enclave{Network: Network{DNS: []string{"10.1.0.53"}}, Time: Time{NTP: []string{"10.1.0.123"}}}
	own := Answers{Network: NodeNetwork{DNS: []string{"10.1.0.9"}}, Time: Time{NTP: []string{"ntp.enclave"}}}
	for _, c := range []struct{ have, want []string }{
		{Answers{}.Resolvers(e), e.Network.DNS}, {Answers{}.TimeServers(e), e.Time.NTP},
		{own.Resolvers(e), own.Network.DNS}, {own.TimeServers(e), own.Time.NTP},
	} {
		if diff := cmp.Diff(c.want, c.have); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
}
