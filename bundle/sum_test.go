package bundle_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"caisson.dev/caisson/bundle"
)

// TestEveryBitOfTheManifestCounts: a damaged manifest may still be a good one to
// read (a letter of an image's name, a digit of a mode).
func TestEveryBitOfTheManifestCounts(t *testing.T) {
	fsys, _ := medium(t)
	for _, path := range []string{bundle.ManifestPath, bundle.SumPath} {
		data := fsys[path].Data
		for i := range data {
			data[i] ^= 1 << (i % 8)
			if _, err := bundle.Verify(t.Context(), fsys, nil); !bundle.ManifestDamaged.Is(err) {
				t.Fatalf("byte %d of %s: have %v, want MANIFEST-DAMAGED", i, path, err)
			}
			data[i] ^= 1 << (i % 8)
		}
	}
	if _, err := bundle.Verify(t.Context(), fsys, nil); err != nil {
		t.Error(err)
	}
}

// TestManifestChecksum lets sha256sum judge the checksum file.
func TestManifestChecksum(t *testing.T) {
	program, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Skip("sha256sum is not installed")
	}
	fsys, _ := medium(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, fsys); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--strict", "-c", filepath.Base(bundle.SumPath))
	cmd.Dir = filepath.Join(dir, bundle.Dir)
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "manifest.json: OK\n" {
		t.Errorf("have %v: %s", err, out)
	}
}
