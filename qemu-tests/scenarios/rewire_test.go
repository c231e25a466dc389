//go:build e2e

package scenarios

import (
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/qemu-tests/vm"
)

// TestAddressChangedAtTheConsole: a worker with one card is given another address,
// VLAN and MTU at its own screen, by somebody who does not answer the question
// afterwards, who keeps it, and who loses the power before they can. What the node
// answers at its cable says which network it has.
func TestAddressChangedAtTheConsole(t *testing.T) {
	c := inspect(t)
	if !c.enclave.OS.RootShell || c.worker() == "" {
		t.Skip("the medium has no worker for this: make e2e-console makes one that has")
	}
	_, wire := wires(t)
	far := attachNeighbour(t, wire)
	disk := install(t, c.worker(), filepath.Join(t.TempDir(), "worker.img"), wire)

	v, screen := atConsole(t, "node", disk, wire)
	far.waitFor(t, within(t, toHealth), "10.20.0.21", 0)
	screen.menu(t)
	rewire(t, v, screen, "22/24", "", "42", "1400")
	journal(t, v, "ops changes the network from 10.20.0.21/24 to 10.20.0.22/24, VLAN 42, MTU 1400")
	far.waitFor(t, within(t, toInstaller), "10.20.0.22", 42)
	far.nobody(t, "10.20.0.21", 0)
	screen.look(t, "network-keep")
	far.waitFor(t, within(t, toInstaller), "10.20.0.21", 0) // nobody said that they keep it
	far.nobody(t, "10.20.0.22", 42)
	screen.look(t, "network-reverted")

	rewire(t, v, screen, "23/24", "", "42", "1400")
	far.waitFor(t, within(t, toInstaller), "10.20.0.23", 42)
	onGraphics(t, v, "", "up")
	onGraphics(t, v, "", "ret")
	journal(t, v, "the new network is kept: 10.20.0.23/24, VLAN 42, MTU 1400")
	screen.look(t, "network-kept")
	off(t, v)

	v, screen = atConsole(t, "started-again", disk, wire)
	card := far.waitFor(t, within(t, toHealth), "10.20.0.23", 42)
	if size := far.largest(t, card, "10.20.0.23", 42); size > 1400 || size < 1300 {
		t.Errorf("a long answer comes in packets of %d bytes, want them cut to the MTU of 1400", size)
	}
	screen.menu(t)
	rewire(t, v, screen, "24/24", "42", "", "")
	card = far.waitFor(t, within(t, toInstaller), "10.20.0.24", 0)
	far.nobody(t, "10.20.0.23", 42)
	v.Kill() // the power fails while the console asks

	v, _ = atConsole(t, "power-back", disk, wire)
	far.waitFor(t, within(t, toHealth), "10.20.0.23", 42)
	far.nobody(t, "10.20.0.24", 0)
	off(t, v)
}

// atConsole boots an installed node until its status console is drawn.
func atConsole(t *testing.T, name string, disk vm.Disk, wire vm.Wire) (*vm.VM, *graphics) {
	t.Helper()
	v := boot(t, name, vm.Config{Disks: []vm.Disk{disk}, Wire: wire})
	journal(t, v, "Started caisson-console.service")
	screen := &graphics{v: v}
	drawn := within(t, toInstaller)
	for screen.look(t, name); !bannered(screen.last); screen.look(t, name) {
		pause(t, drawn, "the banner of the status console")
	}
	return v, screen
}

// menu opens the menu with the administrator's password.
func (g *graphics) menu(t *testing.T) {
	t.Helper()
	g.until(t, "console: ops opened the menu", func() {
		onGraphics(t, g.v, "", "esc") // from wherever the last try ended
		onGraphics(t, g.v, "", "ret")
		onGraphics(t, g.v, adminPassword, "ret")
	})
}

// rewire fills the form in: the end of the address (five signs of it go), then
// VLAN and MTU, in place of the VLAN that is there.
func rewire(t *testing.T, v *vm.VM, screen *graphics, address, oldVLAN, vlan, mtu string) {
	t.Helper()
	for _, k := range []struct{ text, key string }{
		{"", "down"}, {"", "down"}, {"", "ret"}, // past the restarts of kubelet and registry
		{"", "down"}, {"", "backspace"}, {"", "backspace"}, {"", "backspace"}, {"", "backspace"}, {"", "backspace"},
		{address, "down"}, {"", "down"},
	} {
		onGraphics(t, v, k.text, k.key)
	}
	for range oldVLAN {
		onGraphics(t, v, "", "backspace")
	}
	onGraphics(t, v, vlan, "down")
	onGraphics(t, v, mtu, "down")
	onGraphics(t, v, "", "down")
	screen.shown(t, "form-"+strings.ReplaceAll(address, "/", "-"))
	onGraphics(t, v, "", "ret")
	screen.shown(t, "change-"+strings.ReplaceAll(address, "/", "-"))
	onGraphics(t, v, "", "down")
	onGraphics(t, v, "", "ret")
}
