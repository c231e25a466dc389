//go:build e2e

package scenarios

import (
	"strings"
	"testing"

	"caisson.dev/caisson/qemu-tests/vm"
)

// The administrator of the node that the main scenario installs: answers carry
// the hash (crypt(5), SHA-512), never the password.
const (
	adminPassword = "Correct-horse.9"
	adminHash     = "$6$caissontest$beEsZ6VfATVO4yBM6r6WuhUagYt0jX6DsVH41EKZQFpeRmD77qtyoWv/FxOyBfH2QmxykBewF9lF/m6YOLErg/"
	administrator = "users:\n  - {name: ops, admin: true, passwordHash: \"" + adminHash + "\"}"
)

// TestStatusConsole: somebody stands before an installed node with its keyboard.
// The screen on tty1 is in the pictures alone, so what it did is read from the
// journal, which the console writes each act to, and from the stick.
func TestStatusConsole(t *testing.T) {
	stick := fatStick(t)
	v := boot(t, "node", vm.Config{Media: []vm.Medium{stick}, Disks: []vm.Disk{installedDisk(t)}})
	if _, err := v.WaitEvent(within(t, toHealth), "a word from the node", fromNode); err != nil {
		t.Fatal(err)
	}
	journal(t, v, "Started caisson-console.service")
	screen := &graphics{v: v}
	keys := func(text string, keys ...string) {
		t.Helper()
		for _, k := range keys[:len(keys)-1] {
			onGraphics(t, v, "", k)
		}
		onGraphics(t, v, text, keys[len(keys)-1])
	}
	drawn := within(t, toInstaller)
	for screen.look(t, "console-first"); !bannered(screen.last); screen.look(t, "console-first") {
		pause(t, drawn, "the banner of the status console")
	}
	// Before it has looked at the node once, it takes no key; then Enter on an empty
	// password does nothing. So this leads to a wrong password from either page.
	screen.until(t, "password check failed for user (ops)", func() { keys("wrong", "ret", "ret") })
	screen.shown(t, "console-wrong-password")
	if strings.Contains(journalSoFar(t, v), "opened the menu") {
		t.Fatal("a wrong password opened the menu")
	}
	// A wrong one costs time, in which the right one does not count either.
	screen.until(t, "console: ops opened the menu", func() { keys(adminPassword, "esc", "ret", "ret") })
	screen.shown(t, "console-menu")
	if err := v.Plug(within(t, toInstaller), 0); err != nil {
		t.Fatal(err)
	}
	journal(t, v, "Attached SCSI removable disk")
	keys("", "down", "down", "down", "ret") // past the restarts of kubelet and registry, and the address
	screen.shown(t, "console-sure")
	keys("", "down")
	screen.shown(t, "console-sure-yes") // from here to the end of the work little changes
	keys("", "ret")
	journal(t, v, "console: bundle")
	screen.shown(t, "console-bundle")
	keys("", "esc")
	screen.shown(t, "console-status")
	ctx := within(t, toShutdown)
	if err := v.PowerDown(ctx); err != nil {
		t.Fatal(err)
	}
	if exit, err := v.Wait(ctx); err != nil || exit.Reason != "guest-shutdown" {
		t.Errorf("have %q, %v; want guest-shutdown", exit.Reason, err)
	}
	supportBundle(t, stick.Path, adminPassword, adminHash)
}
