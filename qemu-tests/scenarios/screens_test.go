//go:build e2e

package scenarios

import (
	"strings"
	"testing"

	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/qemu-tests/vm"
)

// typed is what a person fills in, by the label of the field.
var typed = map[string]string{
	"Address": "10.20.0.11/24",
	"Name":    "node1",
	"Last 4":  diskSerial[len(diskSerial)-4:],
}

// down is the arrow key as terminals send it (ECMA-48 CUD).
const down = "\x1b[B"

// focused is the label of the line that keys act on.
func focused(screen string) string {
	for line := range strings.Lines(screen) {
		if rest, ok := strings.CutPrefix(line, "  > "); ok {
			label, _, _ := strings.Cut(strings.TrimSpace(rest), "  ")
			return label
		}
	}
	return ""
}

// title is where the screen says that one is: "disk" of "step 5 of 13: disk".
func title(screen string) string {
	for line := range strings.Lines(screen) {
		if _, rest, ok := strings.Cut(line, " of 13: "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// TestScreensOverTheSerialLine: no answers anywhere, a person at the serial line
// with arrows and Enter. From the welcome to a node that boots.
func TestScreensOverTheSerialLine(t *testing.T) {
	disk := blankDisk(t, diskSize)
	screen := newTerminal()
	v := boot(t, "install", vm.Config{Media: []vm.Medium{optical(*isoFlag)}, Disks: []vm.Disk{disk}, NoReboot: true, SerialTap: screen})
	screen.attach(v)
	if _, err := v.WaitEvent(within(t, toInstaller), "the installer's start", vm.Named("start")); err != nil {
		t.Fatal(err)
	}
	key := func(keys string) {
		if err := v.WriteSerial([]byte(keys)); err != nil {
			t.Fatal(err)
		}
	}
	see := func(want string) string {
		text, err := screen.until(within(t, toMediaOK), want)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	text := see("step 1 of 13")
	var err error
	screen.keep(t, "01-welcome")
	picture(t, v, "screens-mirror.png")
	seen := map[string]bool{}
	for presses := 0; title(text) != "install"; presses++ {
		at := title(text)
		if presses > 60 {
			t.Fatalf("still on %q after %d presses:\n%s", at, presses, text)
		}
		if !seen[at] {
			seen[at] = true
			t.Logf("on %q", at)
			screen.keep(t, strings.ReplaceAll(at, " ", "-"))
		}
		if at == "check the medium" && !strings.Contains(text, "Continue") {
			text = see("Continue")
			continue
		}
		switch on := focused(text); {
		case typed[on] != "" && !strings.Contains(text, "["+typed[on]):
			key(typed[on] + "\r")
		case on == "Set the clock to this": // it is right already
			key(down + "\r")
		default:
			key("\r")
		}
		if text, err = screen.change(within(t, toMediaOK), text); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"welcome", "check the medium", "this machine", "role", "disk", "network", "name", "time", "administrators", "review", "agree"} {
		if !seen[want] {
			t.Errorf("the way did not lead over %q", want)
		}
	}
	picture(t, v, "screens-installing.png")
	if _, err := v.WaitEvent(within(t, toInstalled), "the end of the install", func(e event.Event) bool {
		return e.Name == "done" && e.Data["result"] == "ok"
	}); err != nil {
		t.Fatal(err)
	}
	text = see("step 13 of 13")
	screen.keep(t, "done")
	if !strings.Contains(text, "10.20.0.11") || !strings.Contains(text, "Record") {
		t.Errorf("the last screen names neither address nor record:\n%s", text)
	}
	key("\r") // restart now
	if exit, err := v.Wait(within(t, toShutdown)); err != nil || exit.Reason != "guest-reset" {
		t.Errorf("have %q, %v; want guest-reset", exit.Reason, err)
	}
	v = boot(t, "disk-alone", vm.Config{Disks: []vm.Disk{disk}})
	if _, err := v.WaitEvent(within(t, toHealth), "a healthy boot", vm.Named("health")); err != nil {
		t.Fatal(err)
	}
}
