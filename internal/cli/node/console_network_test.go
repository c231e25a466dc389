package node

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vincent-petithory/dataurl"

	"caisson.dev/caisson/nodeos/netchange"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/kubeadm"
	"caisson.dev/caisson/spec"
	"caisson.dev/caisson/tui"
)

// wiredTree is an installed worker with its network's files in place.
func wiredTree(t *testing.T, b *bench) (keeper, func() string) {
	t.Helper()
	installedTree(t, b.scratch)
	put(t, b.scratch, map[string]string{
		"var/lib/caisson/answers.json":   `{"node": "node2", "name": "node2", "role": "worker", "network": {"interface": "eno1", "address": "10.20.0.12/24", "gateway": "10.20.0.1"}}`,
		"proc/sys/kernel/random/boot_id": "first\n",
		"sys/class/net/vlan42/ifindex":   "7\n",
		"proc/net/route":                 "Iface\tDestination\tGateway \tFlags\neno1\t00000000\t0100140A\t0003\t0\t0\t0\t00000000\t0\neno1\t0000140A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\n",
	})
	r, out := soon(t, b)
	n, err := load(b.scratch)
	if err != nil {
		t.Fatal(err)
	}
	c, err := kubeadm.New().Render(profiles.RenderInput{Enclave: n.enclave, Answers: n.answers, Manifest: n.manifest, Registry: n.service})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range c.Storage.Files {
		u, err := dataurl.DecodeString(*f.Contents.Source)
		if err != nil {
			t.Fatal(err)
		}
		put(t, b.scratch, map[string]string{f.Path: string(u.Data)})
	}
	return keeper{r}, out.String
}

var tagged = spec.NodeNetwork{Interface: "eno1", Address: "10.20.0.77/24", VLAN: 42}

func networkFile(t *testing.T, b *bench) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(b.scratch, "etc/systemd/network/10-caisson.network"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestConsoleNetwork: what is proposed, put into force, and kept.
func TestConsoleNetwork(t *testing.T) {
	b := newBench(t)
	k, journal := wiredTree(t, b)
	if w := k.Look(t.Context()).Network; w.Answers.Network.Gateway != "10.20.0.1" || !w.Waits.IsZero() || !slices.Contains(w.Seen, "gateway 10.20.0.1 by eno1") {
		t.Errorf("the network is %+v", w)
	}
	c, err := k.Propose(t.Context(), tagged)
	want := "/etc/hosts /etc/kubernetes/kubeadm.yaml /etc/systemd/network/10-caisson-trunk.network /etc/systemd/network/10-caisson-vlan.netdev /etc/systemd/network/10-caisson.network"
	if err != nil || strings.Join(c.Files, " ") != want || len(b.sys.Calls) > 0 {
		t.Errorf("proposed %+v, %v, and ran %v", c, err, b.sys.Calls)
	}
	until, err := k.Switch(t.Context(), tagged, "ops")
	if !strings.Contains(until.String(), " m=") { // the clock may be set meanwhile
		t.Errorf("%s does not count by the monotonic clock", until)
	}
	if err != nil || time.Until(until) > netchange.Patience || !strings.Contains(networkFile(t, b), "Name=vlan42") {
		t.Errorf("until %s, %v:\n%s", until, err, networkFile(t, b))
	}
	if want := []string{"run systemctl restart caisson-network-revert.timer", "run networkctl reload", "run networkctl reconfigure vlan42"}; !slices.Equal(b.sys.Calls, want) {
		t.Errorf("ran %v, want %v", b.sys.Calls, want)
	}
	if w := k.Look(t.Context()).Network; w.Waits.Sub(until).Abs() > time.Second || w.Answers.Network.VLAN != 42 {
		t.Errorf("the network that waits is %+v", w)
	}
	if said, err := k.Settle(t.Context(), true); err != nil || said != "The new network is kept." {
		t.Errorf("%q, %v", said, err)
	}
	if status, out, errs := b.run("network-revert"); status != 0 || out != "" || !strings.Contains(networkFile(t, b), "Name=vlan42") {
		t.Errorf("what was kept came back: %d, %s, %s", status, out, errs)
	}
	for _, want := range []string{"console: ops changes the network from 10.20.0.12/24, gateway 10.20.0.1 to 10.20.0.77/24, VLAN 42\n", "console: the new network is kept: 10.20.0.77/24, VLAN 42\n"} {
		if !strings.Contains(journal(), want) {
			t.Errorf("the journal lacks %q:\n%s", want, journal())
		}
	}
	if _, err := k.Propose(t.Context(), tagged); !tui.Refused.Is(err) {
		t.Errorf("the same once more: %v, want CHOICE-REFUSED", err)
	}
}

// TestConsoleNetworkComesBack: by a person, by the timer's service, and at the
// next start, where nothing but the files is touched.
func TestConsoleNetworkComesBack(t *testing.T) {
	for name, back := range map[string]func(b *bench, k keeper) string{
		"by a person":  func(b *bench, k keeper) string { said, _ := k.Settle(t.Context(), false); return said },
		"by the timer": func(b *bench, k keeper) string { _, out, _ := b.run("network-revert"); return out },
		"at the next start": func(b *bench, k keeper) string {
			put(t, b.scratch, map[string]string{"proc/sys/kernel/random/boot_id": "second\n"})
			b.sys.FailAt = len(b.sys.Calls) + 1 // no program may be run
			_, out, _ := b.run("network-revert")
			return out
		},
	} {
		b := newBench(t)
		k, _ := wiredTree(t, b)
		before := networkFile(t, b)
		if _, err := k.Switch(t.Context(), tagged, "ops"); err != nil {
			t.Fatal(err)
		}
		if said := back(b, k); !strings.Contains(said, "old") || networkFile(t, b) != before {
			t.Errorf("%s: said %q, the file is\n%s", name, said, networkFile(t, b))
		}
		if n, err := load(b.scratch); err != nil || n.answers.Network.VLAN != 0 {
			t.Errorf("%s: the node takes its network for %+v, %v", name, n.answers.Network, err)
		}
		b.sys.FailAt = 0
		if _, err := k.Settle(t.Context(), true); !netchange.Gone.Is(err) {
			t.Errorf("%s: too late: %v, want NETWORK-REVERTED", name, err)
		}
	}
}

// TestConsoleNetworkRefuses: nothing is touched, whoever asks the host.
func TestConsoleNetworkRefuses(t *testing.T) {
	b := newBench(t)
	k, _ := wiredTree(t, b)
	before := networkFile(t, b)
	for name, c := range map[string]struct {
		to   spec.NodeNetwork
		code string
	}{
		"another node's address": {spec.NodeNetwork{Interface: "eno1", Address: "10.20.0.11/24"}, "ANSWERS-CONFLICT"},
		"a pattern":              {spec.NodeNetwork{Interface: "eno*", Address: "10.20.0.77/24"}, "ANSWERS-VALUE"},
	} {
		if _, err := k.Switch(t.Context(), c.to, "ops"); err == nil || !strings.HasPrefix(err.Error(), c.code) {
			t.Errorf("%s: have %v, want %s", name, err, c.code)
		}
	}
	put(t, b.scratch, map[string]string{"var/lib/caisson/answers.json": `{"name": "node1", "role": "control-plane", "network": {"interface": "none", "address": "10.20.0.11/24"}}`,
		"var/lib/caisson/kubeadm.done": ""})
	if _, err := k.Propose(t.Context(), spec.NodeNetwork{Interface: "none", Address: "10.20.0.13/24"}); err == nil || !strings.HasPrefix(err.Error(), "ADDRESS-BOUND") {
		t.Errorf("a control-plane: have %v, want ADDRESS-BOUND", err)
	}
	if networkFile(t, b) != before || len(b.sys.Calls) > 0 {
		t.Errorf("ran %v", b.sys.Calls)
	}
	put(t, b.scratch, map[string]string{"var/lib/caisson/network.json": "{"})
	if _, err := k.Propose(t.Context(), tagged); !NodeFiles.Is(err) {
		t.Errorf("a damaged file: have %v, want NODE-FILES", err)
	}
}
