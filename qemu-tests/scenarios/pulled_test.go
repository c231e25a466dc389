//go:build e2e

package scenarios

import (
	"strings"
	"testing"

	"caisson.dev/caisson/qemu-tests/vm"
)

// TestPulledStick: the stick that the machine was started from is pulled out
// before the install, is said to be gone, and is plugged in again; and once more
// while the image is written: the install stops, the screens go on, and the disk
// does not start. The system itself ran from that stick; a support bundle, saved
// while it is gone, shows that it runs on.
func TestPulledStick(t *testing.T) {
	disk, screen, second := blankDisk(t, diskSize), newTerminal(), fatStick(t)
	v := boot(t, "pulled", vm.Config{Media: []vm.Medium{{Path: *isoFlag, Attach: vm.Stick}, second}, Disks: []vm.Disk{disk}, NoReboot: true, SerialTap: screen})
	screen.attach(v)
	shows := func(name string, want ...string) string {
		t.Helper()
		text, err := screen.until(within(t, toInstaller), want[0])
		screen.keep(t, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: have no %q:\n%s", name, w, text)
			}
		}
		return text
	}
	pull := func() {
		t.Helper()
		if err := v.Pull(within(t, toInstaller), 0); err != nil {
			t.Fatal(err)
		}
	}
	plug := func() {
		t.Helper()
		if err := v.Plug(within(t, toInstaller), 0); err != nil {
			t.Fatal(err)
		}
	}
	walk(t, v, screen, overSerial, "node1", func(step string) {
		switch step {
		case "review":
			pull()
			shows("pulled-on-the-review", "MEDIUM-GONE", "Nothing was written", "plug it in again")
			// Programs that nobody has run yet come from the system that was on it.
			if err := v.Plug(within(t, toInstaller), 1); err != nil {
				t.Fatal(err)
			}
			bundles(t, v, screen, "no medium")
			if kept, ok := find(v.Events.All(), "memory"); !ok || !strings.Contains(kept.Message, "is in memory") {
				t.Errorf("have %q, want the system in memory", kept.Message)
			}
			plug()
			shows("back-on-the-review", "The medium is back", "Continue: agree to it")
		case "agree":
			untouched(t, disk)
		}
	})
	if _, _, err := v.WaitEventFrom(within(t, toInstalled), 0, "the image being written", inside("write-image")); err != nil {
		t.Fatal(err)
	}
	pull()
	shows("pulled-while-writing", "The install stopped", "MEDIUM-GONE", "The disk does not boot now")
	plug()
	if focused(screen.text()) != "Start again" {
		t.Fatalf("the keys are on %q, want them on the way out:\n%s", focused(screen.text()), screen.text())
	}
	overSerial(t, v, "", "ret")
	onward(t, v, screen, overSerial, "node1", "step 3 of 13", "agree", func(string) {})
	shows("plan-again", "agree", "The disk is blank: nothing is lost")
	v.Kill()
	supportBundle(t, second.Path)
	alone := boot(t, "disk-alone", vm.Config{Disks: []vm.Disk{disk}})
	if started(t, alone) {
		t.Error("a half-written disk started")
	}
}
