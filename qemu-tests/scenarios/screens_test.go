//go:build e2e

package scenarios

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/qemu-tests/vm"
)

// typed is what a person fills in, by the label of the field.
var typed = map[string]string{
	"Address": "10.20.0.21/24",
	"Name":    "edge1",
	"Account": "ops",
	"SSH key": opsKey,
	"Last 4":  diskSerial[len(diskSerial)-4:],
}

// opsKey is an administrator's public key; nobody has the private one.
const opsKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKcyqf/tVS9E1Jtdidi2j5NAUlEptWs3BX7V5MEEtQn0 ops@desk"

// The arrow keys as terminals send them (ECMA-48 CUU, CUD).
const up, down = "\x1b[A", "\x1b[B"

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

// place is the head of a screen; a medium with sealed secrets has a step more.
var place = regexp.MustCompile(`step \d+ of 1[34]: (.*)`)

// title is where the screen says that one is: "disk" of "step 5 of 13: disk".
func title(screen string) string {
	for line := range strings.Lines(screen) {
		if m := place.FindStringSubmatch(line); m != nil {
			return strings.TrimSpace(m[1])
		}
	}
	return ""
}

// keyboard types text and then a key on one of the machine's consoles.
type keyboard func(t *testing.T, v *vm.VM, text, key string)

func overSerial(t *testing.T, v *vm.VM, text, key string) {
	t.Helper()
	if err := v.WriteSerial([]byte(text + map[string]string{"ret": "\r", "down": down, "up": up, "esc": "\x1b"}[key])); err != nil {
		t.Fatal(err)
	}
}

// onGraphics presses the keys of the machine's own keyboard (QMP send-key).
func onGraphics(t *testing.T, v *vm.VM, text, key string) {
	t.Helper()
	ctx := within(t, toInstaller)
	for _, r := range text {
		keys := map[rune][]string{'.': {"dot"}, '/': {"slash"}, '-': {"minus"}, ' ': {"spc"}, '>': {"shift", "dot"}, '?': {"shift", "slash"}}[r]
		if keys == nil {
			keys = []string{strings.ToLower(string(r))}
			if unicode.IsUpper(r) {
				keys = append([]string{"shift"}, keys...)
			}
		}
		if err := v.Press(ctx, keys...); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.Press(ctx, key); err != nil {
		t.Fatal(err)
	}
}

// walk leads from the welcome to the install, and says over which steps. each is
// called on every step. With entry, that node of the roster is chosen, not a role.
func walk(t *testing.T, v *vm.VM, screen *terminal, press keyboard, entry string, each func(step string)) []string {
	t.Helper()
	return onward(t, v, screen, press, entry, "step 1 of 1", "install", each)
}

// onward is walk from one step to another. It reads the serial line's screen,
// which shows the same whoever types.
func onward(t *testing.T, v *vm.VM, screen *terminal, press keyboard, entry, from, to string, each func(step string)) []string {
	t.Helper()
	text, err := screen.until(within(t, toInstaller), from)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	entered := map[string]bool{} // a long text is not seen whole
	for presses := 0; title(text) != to; presses++ {
		at := title(text)
		if presses > 60 {
			t.Fatalf("still on %q after %d presses:\n%s", at, presses, text)
		}
		if !slices.Contains(seen, at) {
			seen = append(seen, at)
			t.Logf("on %q", at)
			screen.keep(t, strings.ReplaceAll(at, " ", "-"))
			each(at)
			text = screen.text()
		}
		if at == "check the medium" && !strings.Contains(text, "Continue") {
			if text, err = screen.until(within(t, toMediaOK), "Continue"); err != nil {
				t.Fatal(err)
			}
			continue
		}
		switch on := focused(text); {
		case typed[on] != "" && !entered[on]:
			entered[on] = true
			press(t, v, typed[on], "ret")
		case at == "role" && entry != "" && !strings.HasSuffix(on, entry):
			press(t, v, "", "down")
		case on == "Set the clock to this": // it is right already
			press(t, v, "", "down")
		default:
			press(t, v, "", "ret")
		}
		if text, err = screen.change(within(t, toMediaOK), text); err != nil {
			t.Fatal(err)
		}
	}
	return seen
}

// wholeWay are the steps that a person meets, in order.
var wholeWay = []string{"welcome", "check the medium", "this machine", "role", "disk", "network", "name", "time", "administrators", "review", "agree"}

// installs waits for the end of an install that screens led to, and lets the
// machine restart by the last screen.
func installs(t *testing.T, v *vm.VM, restart func()) {
	t.Helper()
	if _, err := v.WaitEvent(within(t, toInstalled), "the end of the install", func(e event.Event) bool {
		return e.Name == "done" && e.Data["result"] == "ok"
	}); err != nil {
		t.Fatal(err)
	}
	restart()
	if exit, err := v.Wait(within(t, toShutdown)); err != nil || exit.Reason != "guest-reset" {
		t.Errorf("have %q, %v; want guest-reset", exit.Reason, err)
	}
}

// healthy boots the disk alone.
func healthy(t *testing.T, disk vm.Disk) *vm.VM {
	t.Helper()
	v := boot(t, "disk-alone", vm.Config{Disks: []vm.Disk{disk}})
	if _, err := v.WaitEvent(within(t, toHealth), "a healthy boot", vm.Named("health")); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestScreensOverTheSerialLine: no answers anywhere, a person at the serial line
// with arrows and Enter. From the welcome to a Ready node; on the way the answers
// and a support bundle are saved to a stick that was plugged in a moment before.
func TestScreensOverTheSerialLine(t *testing.T) {
	disk, screen, stick := blankDisk(t, diskSize), newTerminal(), fatStick(t)
	v := boot(t, "install", vm.Config{Media: []vm.Medium{optical(*isoFlag), stick}, Disks: []vm.Disk{disk}, NoReboot: true, SerialTap: screen})
	screen.attach(v)
	seen := walk(t, v, screen, overSerial, "", func(step string) {
		if step == "review" {
			saves(t, v, screen)
		}
	})
	if !slices.Equal(seen, wholeWay) {
		t.Errorf("the way led over %q, want %q", seen, wholeWay)
	}
	installs(t, v, func() {
		text, err := screen.until(within(t, toInstaller), ": done")
		if err != nil {
			t.Fatal(err)
		}
		screen.keep(t, "done")
		if !strings.Contains(text, "10.20.0.21") || !strings.Contains(text, "Record") {
			t.Errorf("the last screen names neither address nor record:\n%s", text)
		}
		overSerial(t, v, "", "ret")
	})
	t.Run("the stick holds what was typed, as answers", func(t *testing.T) { savedAnswers(t, stick.Path) })
	t.Run("the stick holds a support bundle without a secret", func(t *testing.T) {
		supportBundle(t, stick.Path, opsKey, strings.Fields(opsKey)[1])
	})
	t.Run("the disk alone becomes the node that was asked for, Ready", func(t *testing.T) {
		ready, err := healthy(t, disk).WaitEvent(within(t, toReady), "a Ready node", vm.Named("ready"))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("Ready after %.1f s; CIS: %s", ready.At.Seconds(), ready.Data["cis"])
		if !strings.Contains(ready.Message, typed["Name"]) || ready.Data["kubelet"] != "active" || ready.Data["cis.fail"] != "" {
			t.Errorf("have %q, kubelet %s, CIS failures %q; want %s, active, none", ready.Message, ready.Data["kubelet"], ready.Data["cis.fail"], typed["Name"])
		}
	})
}

// TestScreensOnTheGraphicalConsole: the machine's own keyboard and screen, of which
// pictures are kept, and a node of the roster, which leaves little to ask. The power is cut while the image is written:
// the disk does not start, and the screens come again.
func TestScreensOnTheGraphicalConsole(t *testing.T) {
	disk, screen := blankDisk(t, diskSize), newTerminal()
	c := vm.Config{Media: []vm.Medium{optical(*isoFlag)}, Disks: []vm.Disk{disk}, NoReboot: true, SerialTap: screen}
	v := boot(t, "pulled", c)
	screen.attach(v)
	seen := walk(t, v, screen, onGraphics, "node1", func(step string) {
		picture(t, v, "graphical-"+strings.ReplaceAll(step, " ", "-")+".png")
	})
	if want := []string{"welcome", "check the medium", "this machine", "role", "review", "agree"}; !slices.Equal(seen, want) {
		t.Errorf("the way led over %q, want %q", seen, want)
	}
	if _, err := v.WaitEvent(within(t, toInstalled), "the image being written", inside("write-image")); err != nil {
		t.Fatal(err)
	}
	picture(t, v, "graphical-install.png")
	v.Kill()
	alone := boot(t, "disk-alone-after-the-cut", vm.Config{Disks: []vm.Disk{disk}})
	if started(t, alone) {
		t.Error("a half-written disk started")
	}
	alone.Kill()
	c.SerialTap = newTerminal()
	again := boot(t, "again", c)
	if _, err := again.WaitEvent(within(t, toInstaller), "the screens again", vm.Named("start")); err != nil {
		t.Fatal(err)
	}
}

// prompt is the end of a question on a plain terminal.
var prompt = regexp.MustCompile(`^(Number( \[\d+\])?|[A-Z].* \[.*\]): $`)

// TestScreensLineByLine: the menu entry for screen readers. Questions and answers,
// to a node that boots.
func TestScreensLineByLine(t *testing.T) {
	disk := blankDisk(t, diskSize)
	v := boot(t, "install", vm.Config{Media: []vm.Medium{optical(*isoFlag)}, Disks: []vm.Disk{disk}, NoReboot: true})
	if _, err := v.WaitSerial(within(t, toInstaller), regexp.MustCompile("asked line by line")); err != nil {
		t.Fatal(err)
	}
	if err := v.WriteSerial([]byte(down + down + "\r")); err != nil {
		t.Fatal(err)
	}
	from := 0
	for questions := 0; ; questions++ {
		if questions > 60 {
			t.Fatalf("no end after %d questions:\n%s", questions, v.Serial.Tail(40))
		}
		asked, next, err := v.WaitSerialFrom(within(t, toMediaOK), from, prompt)
		if err != nil {
			t.Fatal(err)
		}
		page := v.Serial.Text()[from:next]
		from = next
		answer := ""
		for label, text := range typed {
			if strings.HasPrefix(asked, label+" ") {
				answer = text
			}
		}
		switch {
		case strings.Contains(page, "Set the clock to this"):
			answer = "2"
		case strings.HasPrefix(asked, "Number: "):
			answer = "1"
		}
		if err := v.WriteSerial([]byte(answer + "\r")); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(page, "Install: write to the disk") {
			break
		}
	}
	installs(t, v, func() {
		if _, _, err := v.WaitSerialFrom(within(t, toInstaller), from, prompt); err != nil {
			t.Fatal(err)
		}
		if err := v.WriteSerial([]byte("\r")); err != nil {
			t.Fatal(err)
		}
	})
	healthy(t, disk)
}
