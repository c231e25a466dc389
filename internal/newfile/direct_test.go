package newfile

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestPastCache writes pieces that O_DIRECT takes and pieces that it refuses, on a
// disk and in memory: the file is the same either way.
func TestPastCache(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcde\n"), 3*directBlock/16+5)
	whole := io.NewSectionReader(bytes.NewReader(want), 0, int64(len(want)))
	for name, pieces := range map[string][]int{
		"in one piece":            {len(want)},
		"blocks, then the rest":   {directBlock, 2 * directBlock, len(want) - 3*directBlock},
		"odd pieces first":        {7, 2*directBlock - 7, len(want) - 2*directBlock},
		"blocks after an odd one": {directBlock, 100, directBlock, len(want) - 2*directBlock - 100},
	} {
		for _, dir := range []string{t.TempDir(), "/dev/shm"} {
			f, err := os.CreateTemp(dir, "past-cache-")
			if err != nil {
				t.Logf("not tried in %s: %v", dir, err)
				continue
			}
			defer os.Remove(f.Name())
			defer f.Close()
			w, at := PastCache(f), 0
			for _, n := range pieces {
				// One byte past a page's start: memory that O_DIRECT does not take.
				piece := make([]byte, n+1)[1:]
				if _, err := whole.ReadAt(piece, int64(at)); err != nil {
					t.Fatal(err)
				}
				if m, err := w.Write(piece); m != n || err != nil {
					t.Fatalf("%s, %s: have %d, %v, want %d", name, dir, m, err, n)
				}
				at += n
			}
			if got, err := os.ReadFile(f.Name()); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s, %s: have %d other bytes (%v), want %d", name, filepath.Base(dir), len(got), err, len(want))
			}
		}
	}
}
