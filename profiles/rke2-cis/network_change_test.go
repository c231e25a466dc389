package rke2cis

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/spec"
)

// wired is an installed node, with what of the network is to change.
func wired(t *testing.T, e spec.Enclave, name string, change func(n *spec.NodeNetwork)) profiles.NetworkInput {
	t.Helper()
	in := input(t, e, name)
	root := t.TempDir()
	for name, data := range treeOf(t, render(t, in)).files {
		path, _, _ := strings.Cut(name, " ")
		write(t, root, path, data)
	}
	out := profiles.NetworkInput{Root: root, Enclave: e, Answers: in.Answers, New: in.Answers.Network}
	change(&out.New)
	return out
}

// started is what the first start of a server leaves.
func started(t *testing.T, root string) {
	write(t, root, data+"/server/tls/serving-kube-apiserver.crt", "")
}

var (
	moved    = func(n *spec.NodeNetwork) { n.Address = "10.20.0.99/24" }
	longer   = func(n *spec.NodeNetwork) { n.Address = strings.Replace(n.Address, "/24", "/16", 1) }
	tagged   = func(n *spec.NodeNetwork) { n.VLAN, n.MTU, n.DNS = 42, 9000, []string{"10.20.0.53"} }
	gateless = func(n *spec.NodeNetwork) { n.Gateway = "" }
	gated    = func(n *spec.NodeNetwork) { n.Gateway = "10.20.0.1" }
	asks     = func(n *spec.NodeNetwork) { n.Address, n.Gateway = "", "" }
)

// TestChangeNetwork: which files change, and what is restarted.
func TestChangeNetwork(t *testing.T) {
	const (
		dir     = "/etc/systemd/network/10-caisson"
		nowhere = " /etc/systemd/network/20-caisson-nowhere.netdev /etc/systemd/network/20-caisson-nowhere.network"
		retag   = "/etc/rancher/rke2/resolv.conf /etc/resolv.conf " + dir + "-trunk.network " + dir + "-vlan.netdev " + dir + ".network"
	)
	for _, c := range []struct {
		what, name string
		e          spec.Enclave
		change     func(n *spec.NodeNetwork)
		files      string
		restart    string
		notes      int
	}{
		{"nothing", first, site(newest), func(*spec.NodeNetwork) {}, "", "", 0},
		{"a server's VLAN, MTU and resolver", first, site(newest), tagged, retag, "", 3},
		{"a second server's", further, site(newest), tagged, retag, "", 3},
		{"an agent's", worker, site(newest), tagged, retag, "", 3},
		{"the length of a server's network", further, site(newest), longer, dir + ".network", "", 0},
		{"an agent's address", worker, site(newest), moved, "/etc/hosts /etc/rancher/rke2/config.yaml " + dir + ".network", "rke2-agent.service", 3},
		{"the first server's gateway goes", first, site(newest), gateless, dir + ".network" + nowhere + " " + podNetworkFile, "", 0},
		{"one of closed nodes gets one", further, closedSite("canal"), gated, dir + ".network" + nowhere, "", 0},
		{"the first of closed nodes gets one", first, closedSite("cilium"), gated, dir + ".network" + nowhere, "", 0},
	} {
		in := wired(t, c.e, c.name, c.change)
		if c.name != worker {
			started(t, in.Root)
		}
		out, err := New().ChangeNetwork(in)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		var files []string
		for _, f := range out.Files {
			files = append(files, f.Path)
		}
		if have := strings.Join(files, " "); have != c.files || strings.Join(out.Restart, " ") != c.restart || len(out.Notes) != c.notes {
			t.Errorf("%s:\nfiles %s\nwant  %s\nrestarts %v, notes %q", c.what, have, c.files, out.Restart, out.Notes)
		}
	}
}

// TestAgentMoves: the cluster learns the new address from config.yaml.
func TestAgentMoves(t *testing.T) {
	out, err := New().ChangeNetwork(wired(t, site(newest), worker, moved))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range out.Files {
		if f.Path == "/etc/rancher/rke2/config.yaml" &&
			(!strings.Contains(string(f.Old), "10.20.0.13") || !strings.Contains(string(f.New), "10.20.0.99") || strings.Contains(string(f.New), "10.20.0.13") || f.Mode != 0o600) {
			t.Errorf("from\n%s\nto, with mode %o\n%s", f.Old, f.Mode, f.New)
		}
	}
}

// TestAddressBound: what would leave a cluster that does not work is refused, and
// the refusal says who holds the address.
func TestAddressBound(t *testing.T) {
	for what, c := range map[string]struct {
		name, had string
		change    func(n *spec.NodeNetwork)
	}{
		"the first server": {first, "10.20.0.11", moved}, "another": {further, "10.20.0.12", moved}, "DHCP": {further, "10.20.0.12", asks},
	} {
		in := wired(t, site(newest), c.name, c.change)
		started(t, in.Root)
		_, err := New().ChangeNetwork(in)
		if !host.AddressBound.Is(err) || !strings.Contains(err.Error(), "set up with "+c.had+", need") ||
			!strings.Contains(err.Error(), "below /var/lib/rancher/rke2/server/tls, in etcd's list of members, and in `server:`") {
			t.Errorf("%s: have %v, want ADDRESS-BOUND", what, err)
		}
	}
	out, err := New().ChangeNetwork(wired(t, site(newest), further, moved))
	if err != nil || len(out.Files) == 0 || strings.Join(out.Restart, " ") != "rke2-server.service" {
		t.Errorf("a server that was never started: %v, restarts %v", err, out.Restart)
	}
}

func TestChangeNetworkRefuses(t *testing.T) {
	byHand := wired(t, site(newest), worker, moved)
	write(t, byHand.Root, "/etc/rancher/rke2/config.yaml", "node-ip: 10.20.0.14\n")
	if _, err := New().ChangeNetwork(byHand); !host.NetworkFiles.Is(err) || !strings.Contains(err.Error(), "config.yaml") {
		t.Errorf("a config.yaml changed by hand: have %v, want NETWORK-FILES", err)
	}
	gone := wired(t, site(newest), worker, tagged)
	if err := os.Remove(filepath.Join(gone.Root, "/etc/resolv.conf")); err != nil {
		t.Fatal(err)
	}
	if _, err := New().ChangeNetwork(gone); !host.NetworkFiles.Is(err) {
		t.Errorf("a file that is gone: have %v, want NETWORK-FILES", err)
	}
	for what, in := range map[string]profiles.NetworkInput{
		"an agent under DHCP": wired(t, site(newest), worker, asks),
		"an agent alone without a gateway, whose link the pod network would not find": wired(t, site(newest), worker, gateless),
		"an address that the pod network of a cluster without gateways does not know": wired(t, closedSite("canal"), worker, moved),
	} {
		if _, err := New().ChangeNetwork(in); !host.RenderIncomplete.Is(err) {
			t.Errorf("%s: have %v, want RENDER-INCOMPLETE", what, err)
		}
	}
}
