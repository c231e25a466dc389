//go:build e2e

package scenarios

import (
	"context"
	"regexp"
	"testing"

	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/qemu-tests/vm"
)

// How a machine's serial line tells a start from none. Firmware that finds
// nothing ends in its shell or its menu; a refused loader or kernel says so.
var (
	givenUp  = regexp.MustCompile(`(?i)UEFI Interactive Shell|No bootable option|Shell> |Security Violation|bad shim signature|Access Denied|Verification failed`)
	runs     = regexp.MustCompile(`Welcome to |systemd\[1\]|Reached target`)
	outcomes = regexp.MustCompile(givenUp.String() + "|" + runs.String())
)

// started tells whether a machine with only a disk gets as far as its node OS.
// It waits for either outcome: silence is a failure, not an answer.
func started(t *testing.T, v *vm.VM) bool {
	t.Helper()
	text, err := v.WaitSerial(within(t, toGivenUp), outcomes)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the serial line says %q", text)
	return runs.MatchString(text)
}

// TestPowerLossDuringInstall: the plug is pulled while the image is written, and
// again just before the boot entry. Each time the disk alone does not start, and
// the installer, started again, sees it as blank and finishes.
func TestPowerLossDuringInstall(t *testing.T) {
	disk := blankDisk(t, diskSize)
	media := []vm.Medium{optical(*isoFlag), answers(t, vm.Optical)}
	install := func(name string) *vm.VM {
		return boot(t, name, vm.Config{Media: media, Disks: []vm.Disk{disk}, NoReboot: true})
	}
	for _, point := range []struct {
		name string
		at   vm.Match
	}{
		{"while-writing-the-image", inside("write-image")},
		{"before-the-boot-entry", step("boot-entry")},
	} {
		t.Run(point.name, func(t *testing.T) {
			v := install("pulled")
			e, err := v.WaitEvent(within(t, toInstaller+toInstalled), point.name, point.at)
			if err != nil {
				t.Fatal(err)
			}
			v.Kill()
			t.Logf("power lost at %.1f s, step %d of %d", e.At.Seconds(), e.Step, e.Steps)
			// The last step is what makes the disk start: if the guest was that far
			// when the signal came, a disk that starts is whole and right.
			_, _, err = v.Events.Wait(context.Background(), 0, step("activate"))
			last := err == nil
			alone := boot(t, "disk-alone", vm.Config{Disks: []vm.Disk{disk}})
			if started(t, alone) && !last {
				t.Error("a half-written disk started")
			}
			alone.Kill()
		})
	}
	t.Run("the installer finishes", func(t *testing.T) {
		v := install("again")
		e, err := v.WaitEvent(within(t, toInstaller+toInstalled), "the end of the install", vm.Named("done"))
		if err != nil {
			t.Fatal(err)
		}
		if e.Data["result"] != "ok" {
			t.Errorf("have result %q, want ok", e.Data["result"])
		}
		if exit, err := v.Wait(within(t, toShutdown)); err != nil || exit.Reason != "guest-reset" {
			t.Errorf("have %q, %v; want guest-reset", exit.Reason, err)
		}
	})
	t.Run("and the disk starts", func(t *testing.T) {
		v := boot(t, "disk-alone", vm.Config{Disks: []vm.Disk{disk}})
		if _, err := v.WaitEvent(within(t, toHealth), "a healthy boot", vm.Named("health")); err != nil {
			t.Fatal(err)
		}
	})
}

// step matches the beginning of a step of that kind.
func step(kind string) vm.Match {
	return func(e event.Event) bool { return e.Name == "step" && e.Data["kind"] == kind }
}

// inside matches progress beyond a third of the step of that kind. It remembers
// where that step began, so it is for one wait.
func inside(kind string) vm.Match {
	number := 0
	begins := step(kind)
	return func(e event.Event) bool {
		if begins(e) {
			number = e.Step
		}
		return e.Name == "progress" && number > 0 && e.Step == number && e.Done > e.Size/3
	}
}
