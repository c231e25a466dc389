package k3sedge

import (
	"strings"
	"testing"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/spec"
)

// wired is an installed node, with what of the network is to change.
func wired(t *testing.T, in profiles.RenderInput, change func(n *spec.NodeNetwork)) profiles.NetworkInput {
	t.Helper()
	out := profiles.NetworkInput{Root: lay(t, in), Enclave: in.Enclave, Answers: in.Answers, New: in.Answers.Network}
	change(&out.New)
	return out
}

var (
	moved    = func(n *spec.NodeNetwork) { n.Address = "10.30.0.99/24" }
	tagged   = func(n *spec.NodeNetwork) { n.VLAN = 42 }
	resolves = func(n *spec.NodeNetwork) { n.MTU, n.DNS = 9000, []string{"10.30.0.53"} }
	gated    = func(n *spec.NodeNetwork) { n.Gateway = "10.30.0.1" }
	gateless = func(n *spec.NodeNetwork) { n.Gateway = "" }
)

// TestChangeNetwork: which files change, and what is restarted: the unit if its
// config.yaml or the link with the default route that it started by is another.
func TestChangeNetwork(t *testing.T) {
	const (
		dir     = "/etc/systemd/network/10-caisson"
		conf    = "/etc/rancher/k3s/config.yaml "
		nowhere = " /etc/systemd/network/20-caisson-nowhere.netdev /etc/systemd/network/20-caisson-nowhere.network"
		resolv  = "/etc/rancher/k3s/resolv.conf /etc/resolv.conf "
	)
	both := site(newest, spec.DatastoreEtcd)
	e, a := alone()
	anyCard := a
	anyCard.Network.Interface = ""
	for _, c := range []struct {
		what    string
		in      profiles.RenderInput
		change  func(n *spec.NodeNetwork)
		files   string
		restart string
		notes   int
	}{
		{"nothing", input(t, both, box), func(*spec.NodeNetwork) {}, "", "", 0},
		{"a server's VLAN", input(t, both, box), tagged, conf + dir + "-trunk.network " + dir + "-vlan.netdev " + dir + ".network", "k3s.service", 1},
		{"an agent's VLAN", input(t, both, agent), tagged, conf + dir + "-trunk.network " + dir + "-vlan.netdev " + dir + ".network", "k3s-agent.service", 1},
		{"MTU and resolvers", input(t, both, agent), resolves, resolv + dir + ".network", "", 2},
		{"a server gets a gateway", input(t, both, box), gated, dir + ".network" + nowhere, "", 0},
		{"an agent's goes", input(t, both, agent), gateless, dir + ".network" + nowhere, "", 0},
		{"a box alone, whose link is the one with the default route", inputOf(t, e, anyCard), gated, dir + ".network" + nowhere, "k3s.service", 1},
		{"an agent's address", input(t, both, agent), moved, "/etc/hosts " + conf + dir + ".network", "k3s-agent.service", 2},
		{"a box without a card", inputOf(t, e, a), resolves, resolv[:len(resolv)-1] + " " + dir + ".network", "", 2},
	} {
		in := wired(t, c.in, c.change)
		put(t, in.Root, dataDir+"/server/db/state.db", "", 0o600)
		out, err := New().ChangeNetwork(in)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		var files []string
		for _, f := range out.Files {
			files = append(files, f.Path)
			if f.Path+" " == conf && in.New.VLAN == 42 && !strings.Contains(string(f.New), "\nflannel-iface: vlan42\n") {
				t.Errorf("%s: have no vlan42 in\n%s", c.what, f.New)
			}
		}
		if have := strings.Join(files, " "); have != c.files || strings.Join(out.Restart, " ") != c.restart || len(out.Notes) != c.notes {
			t.Errorf("%s:\nfiles %s\nwant  %s\nrestarts %v, notes %q", c.what, have, c.files, out.Restart, out.Notes)
		}
	}
}

// TestAddressBound: a server keeps its address, and the refusal says who holds it.
func TestAddressBound(t *testing.T) {
	for store, says := range map[string]string{
		spec.DatastoreEtcd:   "below /var/lib/rancher/k3s/server/tls, in etcd's list of members, and in `server:`",
		spec.DatastoreSQLite: "below /var/lib/rancher/k3s/server/tls, and in `server:`",
	} {
		in := wired(t, input(t, site(newest, store), box), moved)
		put(t, in.Root, dataDir+"/server/db/state.db", "", 0o600)
		_, err := New().ChangeNetwork(in)
		if !host.AddressBound.Is(err) || !strings.Contains(err.Error(), "set up with 10.30.0.11, need") || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: have %v, want ADDRESS-BOUND", store, err)
		}
	}
	e, a := alone()
	if out, err := New().ChangeNetwork(wired(t, inputOf(t, e, a), moved)); err != nil || strings.Join(out.Restart, " ") != "k3s.service" {
		t.Errorf("a box that was never started: %v, restarts %v", err, out.Restart)
	}
}

func TestNetworkFilesChangedByHand(t *testing.T) {
	in := wired(t, input(t, site(newest, ""), agent), moved)
	put(t, in.Root, "/etc/rancher/k3s/config.yaml", "node-ip: 10.30.0.14\n", 0o600)
	if _, err := New().ChangeNetwork(in); !host.NetworkFiles.Is(err) {
		t.Errorf("have %v, want NETWORK-FILES", err)
	}
}
