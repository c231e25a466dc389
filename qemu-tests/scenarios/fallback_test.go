//go:build e2e

package scenarios

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/qemu-tests/vm"
)

// badVersion sorts behind any version there is, so the loader tries it first.
const badVersion = "99.0+20991231.ffffffffffff"

// badTries is how often the loader tries it.
const badTries = "2"

// TestBrokenSecondSlotFallsBack: an update put a newer version into slot B that
// cannot start: its slot is empty. The loader tries it as often as its counter
// allows, and the node comes back on slot A with nobody present.
func TestBrokenSecondSlotFallsBack(t *testing.T) {
	disk := installedDisk(t)
	before := entries(t, disk.Path)
	if len(before) != 1 {
		t.Fatalf("have entries %v, want the one of the install", before)
	}
	addBrokenEntry(t, disk.Path, before)
	t.Logf("entries: %v", entries(t, disk.Path))

	v := boot(t, "two-entries", vm.Config{Disks: []vm.Disk{disk}})
	// Slot A passed its health gate long ago and is not asked again: that the
	// node is Ready on it is the stronger proof.
	ready, err := v.WaitEvent(within(t, toHealth+toReady), "the node on its old slot", vm.Named("ready"))
	if err != nil {
		t.Fatal(err)
	}
	if ready.Data["slot"] != "a" {
		t.Errorf("have slot %q, want a", ready.Data["slot"])
	}
	if n := v.Resets(); n < 2 {
		t.Errorf("have %d restarts, want at least the %s tries of the broken version", n, badTries)
	}
	// In order, so that the boot partition can be read from outside.
	if err := v.PowerDown(within(t, toShutdown)); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Wait(within(t, toShutdown)); err != nil {
		t.Fatal(err)
	}
	after := entries(t, disk.Path)
	if bad := "caisson-" + badVersion + "+0-" + badTries + ".conf"; !slices.Contains(after, bad) {
		t.Errorf("have entries %v, want %s: tried out and marked bad", after, bad)
	}
}

// addBrokenEntry writes an entry for slot B beside the one of slot A: the same
// kernel, the other slot, a newer version, a boot counter.
func addBrokenEntry(t *testing.T, disk string, have []string) {
	t.Helper()
	parts := partitions(t, disk)
	a, b := parts["SLOT_A"].UUID, parts["SLOT_B"].UUID
	if len(have) == 0 || a == "" || b == "" {
		t.Fatalf("have entries %v, SLOT_A %q, SLOT_B %q; want all three", have, a, b)
	}
	dir := t.TempDir()
	good := filepath.Join(dir, "good.conf")
	tool(t, "mcopy", "-n", "-i", onESP(t, disk), "::/loader/entries/"+have[0], good)
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch key, _, _ := strings.Cut(line, " "); key {
		case "title":
			line = "title Caisson node " + badVersion
		case "version":
			line = "version " + badVersion
		case "options":
			changed := strings.ReplaceAll(strings.ReplaceAll(line, a, b), "caisson.slot=a", "caisson.slot=b")
			if changed == line {
				t.Fatalf("the entry names neither slot A's partition %s nor caisson.slot=a:\n%s", a, line)
			}
			line = changed
		}
		lines = append(lines, line)
	}
	bad := filepath.Join(dir, "caisson-"+badVersion+"+"+badTries+".conf")
	if err := os.WriteFile(bad, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tool(t, "mcopy", "-i", onESP(t, disk), bad, "::/loader/entries/"+filepath.Base(bad))
}
