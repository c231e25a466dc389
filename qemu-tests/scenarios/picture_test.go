//go:build e2e

package scenarios

import (
	"context"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/qemu-tests/vm"
)

// graphics is the machine's own screen, of which there are pictures alone.
type graphics struct {
	v    *vm.VM
	last image.Image // as it was last looked at
}

// look keeps the picture of now.
func (g *graphics) look(t *testing.T, name string) {
	t.Helper()
	picture(t, g.v, name+".png")
	g.last = decoded(t, filepath.Join(*outFlag, name+".png"))
}

// shown waits for another picture than the last one that then stays as it is, and
// keeps it.
func (g *graphics) shown(t *testing.T, name string) {
	t.Helper()
	ctx := within(t, toInstaller)
	for before, previous := g.last, g.last; ; previous = g.last {
		g.look(t, name)
		if otherPicture(before, g.last) && !otherPicture(previous, g.last) {
			return
		}
		pause(t, ctx, name+" on the screen")
	}
}

// until does something again and again until the journal says what comes of it.
func (g *graphics) until(t *testing.T, says string, do func()) {
	t.Helper()
	ctx := within(t, toInstaller)
	for {
		do()
		for range 5 {
			if strings.Contains(journalSoFar(t, g.v), says) {
				return
			}
			pause(t, ctx, says+" in the journal")
		}
	}
}

// pause is the moment between two looks at what gives no notice of a change.
func pause(t *testing.T, ctx context.Context, what string) {
	t.Helper()
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		t.Fatalf("have waited for %s: %v", what, context.Cause(ctx))
	}
}

// bannered tells whether the first and the last row have one colour, which is not
// black: the banner of the screens and of the status console.
func bannered(m image.Image) bool {
	r := m.Bounds()
	top, bottom := m.At(r.Min.X+4, r.Min.Y+4), m.At(r.Min.X+4, r.Max.Y-4)
	red, green, blue, _ := top.RGBA()
	return top == bottom && red+green+blue > 0
}

func decoded(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// otherPicture tells whether more than a four-hundredth of two pictures differs: a
// clock that ticks or a line of keys is less, another page is more.
func otherPicture(a, b image.Image) bool {
	if a == nil || a.Bounds() != b.Bounds() {
		return true
	}
	r, n := a.Bounds(), 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if a.At(x, y) != b.At(x, y) {
				n++
			}
		}
	}
	return n > r.Dx()*r.Dy()/400
}

// journal waits for words in what the guest copies of its journal.
func journal(t *testing.T, v *vm.VM, want string) {
	t.Helper()
	ctx := within(t, toInstaller)
	for !strings.Contains(journalSoFar(t, v), want) {
		pause(t, ctx, want+" in the journal")
	}
}

func journalSoFar(t *testing.T, v *vm.VM) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(v.Config.Dir, vm.JournalLog))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
