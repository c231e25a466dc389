package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/internal/arp"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/judge"
	"caisson.dev/caisson/spec"
)

// network is the part of a bench that is on a cable.
type network struct {
	raised []string
	taken  map[string]string // addresses that somebody has: "card address" to MAC
	broken error             // nobody can be asked
	asked  []string

	mu sync.Mutex // over asked
}

func (n *network) RaiseCard(_ context.Context, card string) error {
	n.raised = append(n.raised, card)
	return nil
}

func (n *network) WhoHas(_ context.Context, card string, vlan int, a netip.Addr) (net.HardwareAddr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	card = inVLAN(card, vlan)
	n.asked = append(n.asked, card+" "+a.String())
	if who := n.taken[card+" "+a.String()]; who != "" {
		return net.ParseMAC(who)
	}
	return nil, n.broken
}

// cable puts a card into a machine that is not there; carrier is as the kernel has it.
func cable(root fstest.MapFS, card, carrier string) {
	dir := "sys/class/net/" + card
	root[dir+"/device/vendor"] = &fstest.MapFile{Data: []byte("0x8086")}
	root[dir+"/carrier"] = &fstest.MapFile{Data: []byte(carrier + "\n")}
}

// TestAskAddress: where the network is asked, and what is said where it cannot be.
func TestAskAddress(t *testing.T) {
	bond := func(mode string) spec.NodeNetwork {
		return spec.NodeNetwork{Bond: spec.Bond{Interfaces: []string{"eno1", "eno3", "eno2"}, Mode: mode}}
	}
	onCard := func(vlan int, gateway string) spec.NodeNetwork {
		return spec.NodeNetwork{Interface: "eno2", VLAN: vlan, Gateway: gateway}
	}
	lacp := func(vlan int, gateway string) spec.NodeNetwork {
		n := bond(spec.BondLACP)
		n.VLAN, n.Gateway = vlan, gateway
		return n
	}
	for _, c := range []struct {
		name         string
		n            spec.NodeNetwork
		answer       string // who answers: card and last number of the address
		asked        string // on which cards
		on, untested string
		in           string // where somebody has it
		silent       bool
	}{
		{"a card", onCard(0, ""), "", "eno2", "eno2", "", "", false},
		{"somebody answers", onCard(0, ""), "eno2 31", "eno2", "", "", "eno2", false},
		{"any card, each with a link", spec.NodeNetwork{}, "eno3 31", "eno2, eno3", "", "", "eno3", false},
		{"a bond, on its first card with a link", bond(spec.BondActiveBackup), "eno3 31", "eno3", "", "", "eno3", false},
		{"a bond, where another card hears it", bond(spec.BondActiveBackup), "eno2 31", "eno3", "eno3", "", "", false},
		{"a VLAN", onCard(42, ""), "eno2 in VLAN 42 31", "eno2 in VLAN 42", "", "", "eno2 in VLAN 42", false},
		{"the same address in another VLAN", onCard(42, ""), "eno2 in VLAN 43 31", "eno2 in VLAN 42", "eno2 in VLAN 42", "", "", false},
		{"the same address without a tag", onCard(42, ""), "eno2 31", "eno2 in VLAN 42", "eno2 in VLAN 42", "", "", false},
		{"the gateway answers", onCard(42, "10.20.0.1"), "eno2 in VLAN 42 1", "eno2 in VLAN 42", "eno2 in VLAN 42", "", "", false},
		{"the gateway is in another VLAN", onCard(42, "10.20.0.1"), "eno2 1", "eno2 in VLAN 42", "eno2 in VLAN 42", "", "", true},
		{"LACP, somebody answers", lacp(0, ""), "eno2 31", "eno2, eno3", "", "", "eno2", false},
		{"LACP, somebody answers in the VLAN", lacp(42, ""), "eno3 in VLAN 42 31", "eno2 in VLAN 42, eno3 in VLAN 42", "", "", "eno3 in VLAN 42", false},
		{"LACP, the gateway answers, and nobody else", lacp(0, "10.20.0.1"), "eno2 1", "eno2, eno3", "eno3, eno2", "", "", false},
		{"LACP, nobody answers", lacp(0, "10.20.0.1"), "", "eno2, eno3", "", "nobody answers on eno3, eno2, and a switch with 802.3ad may", "", true},
		{"LACP, nobody to answer", lacp(0, ""), "", "eno2, eno3", "", "nobody answers on eno3, eno2, and a switch with 802.3ad may", "", false},
		{"no link", spec.NodeNetwork{Interface: "eno1"}, "eno1 31", "", "", "no link", "", false},
		{"no such card", spec.NodeNetwork{Interface: "eno9"}, "", "", "", "no card eno9", "", false},
	} {
		b := newBench(t)
		cable(b.root, "eno1", "0")
		cable(b.root, "eno2", "1")
		cable(b.root, "eno3", "1")
		m, err := machine.Probe(b.Root())
		if err != nil {
			t.Fatal(err)
		}
		if at := strings.LastIndex(c.answer, " "); at > 0 {
			b.taken = map[string]string{c.answer[:at] + " 10.20.0." + c.answer[at+1:]: "02:00:00:00:00:99"}
		}
		c.n.Address = "10.20.0.31/24"
		got := (&run{ctx: t.Context(), env: b}).askAddress(t.Context(), m, c.n)
		var asked []string
		for _, a := range b.asked {
			if on, ok := strings.CutSuffix(a, " 10.20.0.31"); ok {
				asked = append(asked, on)
			}
		}
		slices.Sort(asked)
		if strings.Join(asked, ", ") != c.asked || (c.untested == "") != (got.Untested == "") || !strings.Contains(got.Untested, c.untested) ||
			arp.InUse.Is(got.Err) != (c.in != "") || got.Silent != c.silent {
			t.Errorf("%s: asked on %v: %+v", c.name, b.asked, got)
		}
		if c.in != "" && !strings.Contains(got.Err.Error(), "have an answer from 02:00:00:00:00:99 on "+c.in+", need") {
			t.Errorf("%s: says %v", c.name, got.Err)
		}
		if c.on != "" && got.On != c.on {
			t.Errorf("%s: says it asked on %q", c.name, got.On)
		}
	}
	b := newBench(t)
	cable(b.root, "eno1", "1")
	b.broken = arp.Failed.New("cannot ask").Hint("do")
	got := (&run{ctx: t.Context(), env: b}).askAddress(t.Context(), machine.Machine{NICs: []machine.NIC{{Name: "eno1"}}}, spec.NodeNetwork{Interface: "eno1", Address: "10.20.0.31/24"})
	if got.Err != nil || got.Untested != "ADDRESS-UNTESTED: cannot ask" {
		t.Errorf("a question that fails: %+v", got)
	}
}

// TestInstallTestsTheAddress: with nobody present an answer stops the install
// before anything is written; no link is said, after a while, and does not.
func TestInstallTestsTheAddress(t *testing.T) {
	answers := func(more string) string {
		return strings.Replace(installtest.Answers, "node: node1", "name: node7\nrole: control-plane\nnetwork: {interface: eno1, address: 10.20.0.31/24"+more+"}", 1)
	}
	for _, c := range []struct {
		name, more, carrier, taken string
		code, says                 string
	}{
		{"free", "", "1", "", "", "nobody on eno1 answers to 10.20.0.31/24"},
		{"free, without a gateway", ", gateway: 10.20.0.1", "1", "", "", "nobody on eno1 answers to 10.20.0.31/24, nor does the gateway 10.20.0.1"},
		{"taken", "", "1", "eno1 10.20.0.31", "ADDRESS-IN-USE", ""},
		{"taken in the VLAN", ", vlan: 42", "1", "eno1 in VLAN 42 10.20.0.31", "ADDRESS-IN-USE", ""},
		{"taken in another VLAN", ", vlan: 42", "1", "eno1 in VLAN 43 10.20.0.31", "", "nobody on eno1 in VLAN 42 answers to 10.20.0.31/24"},
		{"no link", "", "0", "eno1 10.20.0.31", "", "was not tested: no link"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			cable(b.root, "eno1", c.carrier)
			b.second, b.taken = answers(c.more), map[string]string{c.taken: "02:00:00:00:00:99"}
			status, out, errs := b.run("install", "--unattended", "--medium", medium(t, nil))
			all := b.events()
			if last := all[len(all)-1]; last.Code != c.code || (status == 0) != (c.code == "") || !strings.Contains(out, c.says) {
				t.Errorf("status %d, last %+v\n%s\n%s", status, last, out, errs)
			}
			if (len(b.sys.Calls) == 0) != (c.code != "") {
				t.Errorf("the disk was touched: %v", b.sys.Calls)
			}
			if !slices.Equal(b.raised, []string{"eno1"}) {
				t.Errorf("brought up %v", b.raised)
			}
		})
	}
}

// TestWatchLinks: the first state is told, then nothing until it is another.
func TestWatchLinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		cable(b.root, "eno1", "1")
		h := &host{r: &run{ctx: t.Context(), env: b}, v: &voice{sink: event.Discard}}
		ctx, stop := context.WithCancel(t.Context())
		var told []string
		go h.WatchLinks(ctx, func(up map[string]bool) { told = append(told, fmt.Sprint(up)) })
		after := func(change func(), want ...string) {
			t.Helper()
			change()
			time.Sleep(5*linkPace + linkPace/2)
			synctest.Wait()
			if !slices.Equal(told, want) {
				t.Errorf("told %v, want %v", told, want)
			}
			told = nil
		}
		after(func() {}, "map[eno1:true]")
		after(func() { cable(b.root, "eno1", "0") }, "map[eno1:false]")
		after(func() {})
		after(func() { cable(b.root, "eno1", "1"); cable(b.root, "usb0", "1") }, "map[eno1:true usb0:true]")
		if !slices.Equal(b.raised, []string{"eno1", "usb0"}) {
			t.Errorf("brought up %v", b.raised)
		}
		stop()
	})
}

// TestRaiseCard: ip is the judge of a card that was brought up.
func TestRaiseCard(t *testing.T) {
	judge.Need(t, "ip", "iproute2")
	if os.Getuid() != 0 {
		t.Skip("network cards need root")
	}
	card := fmt.Sprintf("cais%d", os.Getpid()%100000)
	ip := func(args ...string) (string, error) {
		out, err := exec.Command("ip", args...).CombinedOutput()
		return string(bytes.TrimSpace(out)), err
	}
	if out, err := ip("link", "add", card, "type", "veth", "peer", "name", card+"p"); err != nil {
		t.Skipf("this machine makes no veth cards: %s", out)
	}
	defer func() { _, _ = ip("link", "del", card) }()
	if _, err := ip("link", "set", card+"p", "up"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it is up
		if err := (machineEnvironment{}).RaiseCard(t.Context(), card); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := ip("link", "show", card); err != nil || !strings.Contains(out, ",UP") {
		t.Errorf("it is not up: %v\n%s", err, out)
	}
	if out, err := ip("-6", "address", "show", "dev", card); err == nil && out != "" {
		t.Errorf("it has made itself an address:\n%s", out)
	}
	if err := (machineEnvironment{}).RaiseCard(t.Context(), "no-such-card"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such card: %v", err)
	}
}
