//go:build e2e

package scenarios

import (
	"image"
	_ "image/png" // screendumps are PNG
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"caisson.dev/caisson/qemu-tests/vm"
)

// TestLargePrint: the menu entry for weak eyes. On the machine's own screen each
// pixel of a letter is four, and the screens fit.
func TestLargePrint(t *testing.T) {
	screen := newTerminal()
	v := boot(t, "large", vm.Config{Media: []vm.Medium{optical(*isoFlag)}, Disks: []vm.Disk{blankDisk(t, diskSize)}, SerialTap: screen})
	screen.attach(v)
	if _, err := v.WaitSerial(within(t, toInstaller), regexp.MustCompile("in large print")); err != nil {
		t.Fatal(err)
	}
	if err := v.WriteSerial([]byte(strings.Repeat(down, 3) + "\r")); err != nil {
		t.Fatal(err)
	}
	if _, err := screen.until(within(t, toInstaller), "step 1 of 1"); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"welcome", "check the medium"} {
		name := "large-" + strings.ReplaceAll(step, " ", "-") + ".png"
		if at := title(screen.text()); at != step {
			t.Errorf("at %q, want %q", at, step)
		}
		picture(t, v, name)
		if n, of := coarse(t, filepath.Join(*outFlag, name)); n != of {
			t.Errorf("%s: %d of %d squares of four pixels have one colour, want all: letters are not twice as large", name, n, of)
		}
		onGraphics(t, v, "", "ret")
		if _, err := screen.until(within(t, toMediaOK), "Continue"); err != nil {
			t.Fatal(err)
		}
	}
	v.Kill()
}

// coarse counts squares of two by two pixels, and those of one colour.
func coarse(t *testing.T, path string) (same, all int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	b := m.Bounds()
	for y := b.Min.Y; y+1 < b.Max.Y; y += 2 {
		for x := b.Min.X; x+1 < b.Max.X; x += 2 {
			all++
			if c := m.At(x, y); c == m.At(x+1, y) && c == m.At(x, y+1) && c == m.At(x+1, y+1) {
				same++
			}
		}
	}
	return same, all
}
