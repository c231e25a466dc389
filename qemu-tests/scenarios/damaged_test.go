//go:build e2e

package scenarios

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/qemu-tests/vm"
)

// TestDamagedMedium: one bit of the medium is wrong. The installer refuses it by
// code, names every damaged file, and the disk stays as blank as it was.
func TestDamagedMedium(t *testing.T) {
	c := inspect(t)
	image := c.manifest.OS.Image
	osPath := bundle.BlobDir + "/" + image.Hex()
	blob := smallestOf(c.manifest.Files, "image")
	if blob.Path == "" {
		t.Fatal("the manifest names no file of kind image")
	}
	for _, tt := range []struct {
		name   string
		at     map[string]int64 // file on the medium -> byte in it
		code   string
		naming []string
	}{
		{
			// One check tells all damages, so one boot is enough for both. The
			// image's bit is in its verity tree: the live system itself, which
			// runs from the same file, reads around it.
			name: "image-blob-and-OS-image",
			at:   map[string]int64{blob.Path: blob.Size / 2, osPath: c.manifest.OS.HashOffset + 4096 + 100},
			code: "MEDIA-DAMAGED", naming: []string{blob.Path, osPath},
		},
		{
			// A letter of an image's name: the manifest still reads well.
			name: "manifest",
			at:   map[string]int64{bundle.ManifestPath: int64(bytes.Index(c.raw, []byte(c.manifest.Images[0].Ref)))},
			code: "MANIFEST-DAMAGED",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			medium := filepath.Join(t.TempDir(), "damaged.iso")
			if err := vm.CopySparse(medium, *isoFlag); err != nil {
				t.Fatal(err)
			}
			for path, index := range tt.at {
				if err := vm.FlipBit(medium, c.offset(t, path, index)); err != nil {
					t.Fatal(err)
				}
			}
			events := refused(t, "damaged", vm.Config{
				Media: []vm.Medium{optical(medium), answers(t, vm.Optical)},
				Disks: []vm.Disk{blankDisk(t, diskSize)},
			})
			wantCodes(t, events, tt.code)
			if _, ok := find(events, "media.ok"); ok {
				t.Error("the medium was called good")
			}
			var said strings.Builder
			for _, e := range events {
				if e.Name == "error" {
					said.WriteString(e.Message + "\n")
				}
			}
			for _, path := range tt.naming {
				if !strings.Contains(said.String(), path) {
					t.Errorf("have\n%s\nwant %s named", said.String(), path)
				}
			}
		})
	}
}

// smallestOf is the smallest file of a kind that has a middle.
func smallestOf(files []bundle.File, kind string) bundle.File {
	var best bundle.File
	for _, f := range files {
		if f.Kind == kind && f.Size > 2 && (best.Path == "" || f.Size < best.Size) {
			best = f
		}
	}
	return best
}
