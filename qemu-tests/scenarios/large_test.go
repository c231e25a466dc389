//go:build e2e

package scenarios

import (
	"image"
	"image/color"
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
		// The cursor's height is no multiple of two; small letters make far more edges.
		if n, of, colours := coarse(t, filepath.Join(*outFlag, name)); n < of-of/1000 || colours < 2 {
			t.Errorf("%s: %d of %d squares of four pixels have one colour of %d, want all but a few: letters are not twice as large", name, n, of, colours)
		}
		onGraphics(t, v, "", "ret")
		if _, err := screen.until(within(t, toMediaOK), "Continue"); err != nil {
			t.Fatal(err)
		}
	}
	v.Kill()
}

// coarse counts squares of two by two pixels, those of one colour, and the colours.
func coarse(t *testing.T, path string) (same, all, colours int) {
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
	b, seen := m.Bounds(), map[color.Color]bool{}
	for y := b.Min.Y; y+1 < b.Max.Y; y += 2 {
		for x := b.Min.X; x+1 < b.Max.X; x += 2 {
			all++
			c := m.At(x, y)
			seen[c] = true
			if c == m.At(x+1, y) && c == m.At(x, y+1) && c == m.At(x+1, y+1) {
				same++
			}
		}
	}
	return same, all, len(seen)
}
