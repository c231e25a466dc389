//go:build e2e

package scenarios

import (
	"regexp"
	"testing"

	"caisson.dev/caisson/qemu-tests/vm"
)

// TestLostLink: the cable of the only network card is pulled and plugged in while
// somebody looks at the network page, which says so by itself, in words. The
// cable ends at a hub with nothing else on it.
func TestLostLink(t *testing.T) {
	screen := newTerminal()
	v := boot(t, "install", vm.Config{Media: []vm.Medium{optical(*isoFlag)}, Disks: []vm.Disk{blankDisk(t, diskSize)}, Cards: 1, SerialTap: screen})
	screen.attach(v)
	onward(t, v, screen, overSerial, "", "step 1 of 13", "network", func(string) {})
	card := func(name, words string) {
		t.Helper()
		// The line of the card itself: by its address, with what is said of its link.
		line := regexp.MustCompile(`52:54:00:ca:15:00\s+` + regexp.QuoteMeta(words))
		text, err := screen.wait(within(t, toInstaller/5), words+" at the card", line.MatchString)
		screen.keep(t, name)
		if err != nil {
			t.Fatal(err)
		}
		if title(text) != "network" {
			t.Errorf("on %q, want the network page as it was:\n%s", title(text), text)
		}
	}
	cable := func(in bool) {
		t.Helper()
		if err := v.Cable(within(t, toInstaller), 0, in); err != nil {
			t.Fatal(err)
		}
	}
	card("first", "[ok] link")
	cable(false)
	card("pulled", "[!] no link")
	cable(true)
	card("plugged-in", "[ok] link")
}
