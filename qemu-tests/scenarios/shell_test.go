//go:build e2e

package scenarios

import (
	"strings"
	"testing"

	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/qemu-tests/vm"
)

// TestRootShell: where the Spec allows it, the machine's own screen gives way to a
// root shell, in the installer and on the node, and comes back after it. On other
// media the entry is not there (package tui's tests).
func TestRootShell(t *testing.T) {
	c := inspect(t)
	if !c.enclave.OS.RootShell {
		t.Skip("the medium's Spec allows no root shell: make e2e-console makes one that does")
	}
	t.Run("in the installer", func(t *testing.T) {
		screen := newTerminal()
		v := boot(t, "installer", vm.Config{Media: []vm.Medium{optical(*isoFlag)}, Disks: []vm.Disk{blankDisk(t, diskSize)}, SerialTap: screen})
		screen.attach(v)
		onward(t, v, screen, onGraphics, "", "step 1 of 1", "this machine", func(string) {})
		onGraphics(t, v, "?", "down")
		text, err := screen.until(within(t, toInstaller), "root shell")
		for ; err == nil && !strings.Contains(focused(text), "root shell"); text, err = screen.change(within(t, toInstaller), text) {
			onGraphics(t, v, "", "down")
		}
		if err != nil {
			t.Fatal(err)
		}
		screen.keep(t, "help")
		before := len(v.Events.All())
		onGraphics(t, v, "", "ret")
		said := func(words string) {
			t.Helper()
			if _, _, err := v.WaitEventFrom(within(t, toInstaller), before, words, func(e event.Event) bool {
				return e.Name == "shell" && strings.Contains(e.Message, words)
			}); err != nil {
				t.Fatal(err)
			}
		}
		said("was opened at tty1")
		isRoot(t, v, &graphics{v: v}, "installer")
		said("at tty1 has ended")
		if text, err := screen.until(within(t, toInstaller), "this machine"); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	})
	t.Run("on the node", func(t *testing.T) {
		v, screen := atConsole(t, "node", installedDisk(t), vm.Wire{})
		screen.menu(t)
		screen.shown(t, "shell-menu")
		for range 4 { // past the restarts, the network and the bundle
			onGraphics(t, v, "", "down")
		}
		onGraphics(t, v, "", "ret")
		screen.shown(t, "shell-sure")
		onGraphics(t, v, "", "down")
		onGraphics(t, v, "", "ret")
		isRoot(t, v, screen, "node")
		journal(t, v, "the root shell has ended")
		screen.shown(t, "shell-ended")
		if !bannered(screen.last) {
			t.Error("the status console is not back")
		}
		off(t, v)
	})
}

// isRoot has the shell say whose it is (it has a terminal of its own), and ends it, and ends it.
func isRoot(t *testing.T, v *vm.VM, screen *graphics, name string) {
	t.Helper()
	screen.until(t, "uid=0(root)", func() { onGraphics(t, v, "id > /dev/kmsg", "ret") })
	screen.look(t, "shell-"+name)
	onGraphics(t, v, "exit", "ret")
}
