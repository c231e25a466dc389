package bundle_test

import (
	"strings"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
)

func TestReadManifestRefuses(t *testing.T) {
	d := digest.Of([]byte("x"))
	file := func(path string) bundle.File { return bundle.File{Path: path, Size: 1, Digest: d, Kind: "meta"} }
	tests := []struct {
		summary string
		change  func(*bundle.Manifest)
		code    fault.Kind
	}{
		{"absolute", func(m *bundle.Manifest) { m.Files = append(m.Files, file("/etc/passwd")) }, bundle.ManifestBadPath},
		{"upwards", func(m *bundle.Manifest) { m.Files = append(m.Files, file("boot/../../etc")) }, bundle.ManifestBadPath},
		{"not clean", func(m *bundle.Manifest) { m.Files = append(m.Files, file("boot//x")) }, bundle.ManifestBadPath},
		{"a dot", func(m *bundle.Manifest) { m.Files = append(m.Files, file(".")) }, bundle.ManifestBadPath},
		{"no name", func(m *bundle.Manifest) { m.Files = append(m.Files, file("")) }, bundle.ManifestBadPath},
		{"a line break", func(m *bundle.Manifest) { m.Files = append(m.Files, file("a\nb")) }, bundle.ManifestBadPath},
		{"a backslash", func(m *bundle.Manifest) { m.Files = append(m.Files, file(`a\b`)) }, bundle.ManifestBadPath},
		{"a long element", func(m *bundle.Manifest) { m.Files = append(m.Files, file(strings.Repeat("x", 256))) }, bundle.ManifestBadPath},
		{"a long path", func(m *bundle.Manifest) { m.Files = append(m.Files, file(strings.Repeat("xx/", 400)+"x")) }, bundle.ManifestBadPath},
		{"itself", func(m *bundle.Manifest) { m.Files = append(m.Files, file(bundle.ManifestPath)) }, bundle.ManifestBadPath},
		{"a blob of another name", func(m *bundle.Manifest) { m.Files = append(m.Files, file(bundle.BlobDir+"/00")) }, bundle.ManifestBadPath},
		{"twice", func(m *bundle.Manifest) { m.Files = append(m.Files, m.Files[0]) }, bundle.ManifestPathTwice},
		{"a file that is a folder", func(m *bundle.Manifest) { m.Files = append(m.Files, file("boot")) }, bundle.ManifestPathTwice},
		{"an unknown kind", func(m *bundle.Manifest) { m.Files[0].Kind = "shoe" }, bundle.ManifestDamaged},
		{"a negative size", func(m *bundle.Manifest) { m.Files[0].Size = -1 }, bundle.ManifestDamaged},
		{"no digest", func(m *bundle.Manifest) { m.Files[0].Digest = "" }, bundle.ManifestDamaged},
		{"no files", func(m *bundle.Manifest) { m.Files = nil }, bundle.ManifestDamaged},
		{"another kind of document", func(m *bundle.Manifest) { m.Kind = "Lock" }, bundle.ManifestDamaged},
		{"two sizes of one digest", func(m *bundle.Manifest) {
			f := file("boot/a")
			g := file("boot/b")
			g.Size = 2
			m.Files = append(m.Files, f, g)
		}, bundle.ManifestDamaged},
		{"payload that is not there", func(m *bundle.Manifest) { m.Payload[0].Digest = digest.Of([]byte("none")) }, bundle.ManifestIncomplete},
		{"payload of another size", func(m *bundle.Manifest) { m.Payload[0].Size++ }, bundle.ManifestIncomplete},
		{"payload upwards", func(m *bundle.Manifest) { m.Payload[0].Path = "/usr/../etc/shadow" }, bundle.ManifestBadPath},
		{"payload that is relative", func(m *bundle.Manifest) { m.Payload[0].Path = "usr/bin/x" }, bundle.ManifestBadPath},
		{"payload twice", func(m *bundle.Manifest) { m.Payload = append(m.Payload, m.Payload[0]) }, bundle.ManifestPathTwice},
		{"payload with a file type", func(m *bundle.Manifest) { m.Payload[0].Mode = 1 << 31 }, bundle.ManifestDamaged},
		{"an OS that is not there", func(m *bundle.Manifest) { m.OS.Image = d }, bundle.ManifestIncomplete},
		{"an image that is not there", func(m *bundle.Manifest) {
			m.Images = []bundle.ImageEntry{{Ref: "docker.io/library/x:1", Digest: d, Size: 1}}
		}, bundle.ManifestIncomplete},
	}
	for _, tt := range tests {
		t.Run(tt.summary, func(t *testing.T) {
			_, m := medium(t)
			tt.change(&m)
			raw, err := canon.JSON(m)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := bundle.ReadManifest(raw); !tt.code.Is(err) {
				t.Errorf("have %v, need %s", err, tt.code.Code)
			}
		})
	}
}

// A hostile manifest must not turn into megabytes of errors.
func TestReadManifestBoundsItsErrors(t *testing.T) {
	_, m := medium(t)
	for range 5000 {
		m.Files = append(m.Files, m.Files[0])
	}
	raw, err := canon.JSON(m)
	if err != nil {
		t.Fatal(err)
	}
	_, err = bundle.ReadManifest(raw)
	if len(err.Error()) > 20_000 || !strings.Contains(err.Error(), "more") {
		t.Errorf("have %d bytes of errors", len(err.Error()))
	}
}

func FuzzReadManifest(f *testing.F) {
	_, m := medium(f)
	raw, err := canon.JSON(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"apiVersion":"caisson.dev/v1alpha1","kind":"Manifest","files":[{"path":"a","size":0,"digest":"","kind":"os"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := bundle.ReadManifest(raw)
		if err != nil {
			return
		}
		for _, file := range m.Files {
			if strings.Contains(file.Path, "..") && strings.Contains("/"+file.Path+"/", "/../") || strings.HasPrefix(file.Path, "/") {
				t.Fatalf("have path %q accepted", file.Path)
			}
		}
		again, err := canon.JSON(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bundle.ReadManifest(again); err != nil {
			t.Fatalf("have a manifest that its own form does not read: %v", err)
		}
	})
}
