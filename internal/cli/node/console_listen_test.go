package node

import (
	"os"
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/arp"
	"caisson.dev/caisson/spec"
	"caisson.dev/caisson/tui"
)

// TestConsoleListens: before a new network is in force, it is asked there who has
// the address.
func TestConsoleListens(t *testing.T) {
	bonded := spec.NodeNetwork{Bond: spec.Bond{Interfaces: []string{"eno1", "eno2"}, Mode: spec.BondLACP}, Address: "10.20.0.77/24", VLAN: 42}
	gateway := tagged
	gateway.Gateway = "10.20.0.1"
	for _, c := range []struct {
		name    string
		to      spec.NodeNetwork
		carrier string
		taken   string
		note    string // "" is none of the network
		refused bool
	}{
		{"free", tagged, "1", "", "", false},
		{"taken", tagged, "1", "eno1 in VLAN 42 10.20.0.77", "", true},
		{"taken where the node is now", tagged, "1", "eno1 10.20.0.77", "", false},
		{"no link", tagged, "0", "", "Whether somebody has 10.20.0.77/24 already was not tested: no link.", false},
		{"no gateway", gateway, "1", "", "The gateway 10.20.0.1 does not answer on eno1 in VLAN 42 now.", false},
		{"the gateway answers", gateway, "1", "eno1 in VLAN 42 10.20.0.1", "", false},
		{"a bond speaks for its cards", bonded, "1", "bond0 in VLAN 42 10.20.0.77", "", true},
		{"a bond hears nobody", bonded, "1", "", "", false},
	} {
		b := newBench(t)
		k, _ := wiredTree(t, b)
		cable(b.root, "eno1", c.carrier)
		cable(b.root, "bond0", c.carrier)
		delete(b.root, "sys/class/net/bond0/device/vendor")
		b.taken = map[string]string{c.taken: "02:00:00:00:00:99"}
		notes, err := k.listen(t.Context(), c.to)
		if strings.Join(notes, " ") != c.note || arp.InUse.Is(err) != c.refused || (err != nil) != c.refused {
			t.Errorf("%s: %q, %v", c.name, notes, err)
		}
		if len(c.to.Bond.Interfaces) > 0 && slices.ContainsFunc(b.asked, func(a string) bool { return !strings.HasPrefix(a, "bond0 ") }) {
			t.Errorf("%s: asked on %v", c.name, b.asked)
		}
	}
	b := newBench(t)
	k, _ := wiredTree(t, b)
	cable(b.root, "eno1", "1")
	b.taken = map[string]string{"eno1 in VLAN 42 10.20.0.77": "02:00:00:00:00:99"}
	if _, err := k.Propose(t.Context(), tagged); !arp.InUse.Is(err) {
		t.Errorf("proposed, with %v, want ADDRESS-IN-USE", err)
	}
}

// TestConsoleOfRKE2: what the menu does there, and what it cannot do.
func TestConsoleOfRKE2(t *testing.T) {
	b := newBench(t)
	k, _ := wiredTree(t, b)
	example, err := os.ReadFile("../../../examples/rke2-enclave/caisson.yaml")
	if err != nil {
		t.Fatal(err)
	}
	put(t, b.scratch, map[string]string{"var/lib/caisson/caisson.yaml": string(example),
		"var/lib/caisson/answers.json": `{"name": "cp1", "role": "control-plane", "network": {"interface": "eno1", "address": "10.20.0.11/24"}}`})
	cable(b.root, "eno1", "0")
	n, err := load(b.scratch)
	if err != nil {
		t.Fatal(err)
	}
	if w := k.wiring(n); w.Refused != nil || !slices.Equal(w.Unplugged, []string{"eno1"}) {
		t.Errorf("the network is refused with %v, without a link %v", w.Refused, w.Unplugged)
	}
	if said, err := k.Do(t.Context(), tui.RestartKubernetes); err != nil || !strings.HasPrefix(said, "rke2-server restarts.") || !slices.Equal(b.sys.Calls, []string{"run systemctl restart --no-block rke2-server.service"}) {
		t.Errorf("%q, %v, ran %v", said, err, b.sys.Calls)
	}
}
