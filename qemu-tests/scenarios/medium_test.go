//go:build e2e

package scenarios

import (
	"io/fs"
	"os"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/iso/iso9660"
	"caisson.dev/caisson/spec"
)

// contents is what the tests know of the medium from looking at it.
type contents struct {
	fs       *iso9660.FS
	manifest bundle.Manifest
	enclave  spec.Enclave
	raw      []byte // the manifest
	node     string // the first control-plane node of the roster
}

var inspected once[contents]

// inspect reads the medium's manifest and Spec.
func inspect(t *testing.T) contents {
	t.Helper()
	return inspected.get(t, func() contents {
		f, err := os.Open(*isoFlag) // kept open: the tests read from it until the end
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		var c contents
		if c.fs, err = iso9660.Open(f, info.Size()); err != nil {
			t.Fatal(err)
		}
		raw, err := fs.ReadFile(c.fs, bundle.ManifestPath)
		if err != nil {
			t.Fatal(err)
		}
		c.raw = raw
		if c.manifest, err = bundle.ReadManifest(raw); err != nil {
			t.Fatal(err)
		}
		if raw, err = fs.ReadFile(c.fs, bundle.SpecPath); err != nil {
			t.Fatal(err)
		}
		loaded, err := spec.Parse(raw, "")
		if err != nil {
			t.Fatal(err)
		}
		c.enclave = loaded.Enclave
		for _, n := range c.enclave.Nodes {
			if n.Role == spec.ControlPlane {
				c.node = n.Name
				return c
			}
		}
		t.Fatal("the medium's Spec has no control-plane node in its roster; the scenarios install one")
		return c
	})
}

// offset is where the byte at index within a file of the medium lies in the ISO.
func (c contents) offset(t *testing.T, path string, index int64) int64 {
	t.Helper()
	parts, err := c.fs.Extents(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if index < p.Size {
			return p.Offset + index
		}
		index -= p.Size
	}
	t.Fatalf("%s has no byte %d", path, index)
	return 0
}
