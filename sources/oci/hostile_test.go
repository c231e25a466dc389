package oci_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/mholt/archives"
	"golang.org/x/sys/unix"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/unpack"
	"caisson.dev/caisson/sources/oci"
)

// with adds members to a tar file, before its end.
func with(t *testing.T, raw []byte, members ...tar.Header) []byte {
	t.Helper()
	b := bytes.NewBuffer(bytes.Clone(raw[:len(raw)-1024])) // the end is two empty blocks
	w := tar.NewWriter(b)
	for _, hdr := range members {
		hdr.Mode = 0o644
		if err := errors.Join(w.WriteHeader(&hdr), w.Flush()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Each archive holds a whole image, and would be taken, but for one member.
func TestHostileArchives(t *testing.T) {
	im, good := imageTar(t, 5000)
	bring(t, store(t), bundle.ImageWant{Ref: "app:1", Archive: archive(t, with(t, good, tar.Header{Name: "readme", Typeflag: tar.TypeReg},
		tar.Header{Name: "more", Typeflag: tar.TypeDir}, tar.Header{Name: "more/link", Typeflag: tar.TypeSymlink, Linkname: "../readme"},
		tar.Header{Name: "hard", Typeflag: tar.TypeLink, Linkname: "readme"}))}, must(im.Digest())(t), 4)
	tests := []struct {
		summary string
		member  tar.Header
		says    string
	}{
		{"upwards", tar.Header{Name: "../../etc/passwd", Typeflag: tar.TypeReg}, `member "../../etc/passwd" with a path that leads out of it`},
		{"upwards from a folder", tar.Header{Name: "blobs/../../x", Typeflag: tar.TypeReg}, "a path that leads out of it"},
		{"absolute", tar.Header{Name: "/etc/passwd", Typeflag: tar.TypeReg}, `member "/etc/passwd" with a path that leads out of it`},
		{"a folder upwards", tar.Header{Name: "../x", Typeflag: tar.TypeDir}, "a path that leads out of it"},
		{"a block device", tar.Header{Name: "blobs/x", Typeflag: tar.TypeBlock}, `member "blobs/x" with type "4"`},
		{"a character device", tar.Header{Name: "blobs/x", Typeflag: tar.TypeChar}, `type "3"`},
		{"a pipe", tar.Header{Name: "blobs/x", Typeflag: tar.TypeFifo}, `type "6"`},
		{"a link upwards", tar.Header{Name: "blobs/x", Typeflag: tar.TypeSymlink, Linkname: "../../etc/passwd"}, "a link out of it"},
		{"an absolute link", tar.Header{Name: "blobs/x", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, "a link out of it"},
		{"a hard link upwards", tar.Header{Name: "blobs/x", Typeflag: tar.TypeLink, Linkname: "../etc/passwd"}, "a link out of it"},
		{"an absolute hard link", tar.Header{Name: "blobs/x", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"}, "a link out of it"},
		{"a name twice", tar.Header{Name: "index.json", Typeflag: tar.TypeReg}, `member "index.json" with a name that it has twice`},
		{"a name twice, in other words", tar.Header{Name: "./blobs/../index.json", Typeflag: tar.TypeReg}, "a name that it has twice"},
		{"a link over a file", tar.Header{Name: "index.json", Typeflag: tar.TypeSymlink, Linkname: "oci-layout"}, "a name that it has twice"},
	}
	for _, tt := range tests {
		t.Run(tt.summary, func(t *testing.T) {
			path := archive(t, with(t, good, tt.member))
			_, err := source(store(t)).Resolve(t.Context(), want(bundle.ImageWant{Ref: "app:1", Archive: path}))
			if all := fault.All(err); len(all) != 1 || all[0].Code != unpack.Hostile.Code || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("have %v, need ARCHIVE-HOSTILE with %q", err, tt.says)
			}
		})
	}
}

// A small archive that unpacks to far more than it holds is refused, and what
// came out of it does not stay.
func TestArchiveBombs(t *testing.T) {
	im, good := imageTar(t, 5000)
	zeros := func(n int) []byte { return append(bytes.Clone(good), make([]byte, n)...) }
	for _, c := range []archives.Compression{archives.Gz{}, archives.Zstd{}, archives.Xz{}, archives.Bz2{}, archives.Lz4{}} {
		t.Run(c.Extension(), func(t *testing.T) {
			s := store(t)
			bomb := compress(t, c, zeros(int(unpack.Floor)))
			if len(bomb) > int(unpack.Floor/unpack.Ratio) {
				t.Fatalf("have a bomb of %d bytes, need a small one", len(bomb))
			}
			_, err := source(s).Resolve(t.Context(), want(bundle.ImageWant{Ref: "app:1", Archive: archive(t, bomb)}))
			if all := fault.All(err); len(all) != 1 || all[0].Code != unpack.Hostile.Code || !strings.Contains(err.Error(), "more than 64.0 MiB") {
				t.Errorf("have %v, need ARCHIVE-HOSTILE", err)
			}
			if found := kept(t, s, digest.Of(nil)); len(found) > 0 {
				t.Errorf("have %v kept, need nothing", found)
			}
		})
	}
	t.Run("many zeros, and no bomb", func(t *testing.T) {
		bring(t, store(t), bundle.ImageWant{Ref: "app:1", Archive: archive(t, compress(t, archives.Gz{}, zeros(10<<20)))}, must(im.Digest())(t), 4)
	})
}

func TestDamagedArchives(t *testing.T) {
	const sum = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	tests := []struct {
		summary string
		raw     []byte
		code    fault.Kind
		says    string
	}{
		{"nothing", nil, oci.BadArchive, "neither oci-layout nor manifest.json"},
		{"no tar", bytes.Repeat([]byte("no tar at all "), 100), oci.BadArchive, "invalid tar header"},
		{"another tar", tarWith(t, map[string]string{"readme": ""}), oci.BadArchive, "neither oci-layout nor manifest.json"},
		{"an empty list", tarWith(t, map[string]string{"manifest.json": "[]"}), oci.Missing, "need that one"},
		{"an odd list", tarWith(t, map[string]string{"manifest.json": "{"}), oci.BadArchive, "cannot read manifest.json"},
		{"no such member", tarWith(t, map[string]string{"manifest.json": `[{"Config":"c","RepoTags":["app:1"],"Layers":["l"]}]`}), oci.BadArchive, "a member that is not there"},
		{"layers missing", tarWith(t, map[string]string{"manifest.json": `[{"Config":"c","RepoTags":["app:1"],"Layers":[]}]`,
			"c": `{"rootfs":{"type":"layers","diff_ids":["` + sum + `"]}}`}), oci.BadArchive, "have 0 layers and 1 in its configuration"},
		{"a layer that differs", tarWith(t, map[string]string{"manifest.json": `[{"Config":"c","RepoTags":["app:1"],"Layers":["l"]}]`, "l": "layer",
			"c": `{"rootfs":{"type":"layers","diff_ids":["` + sum + `"]}}`}), oci.BadArchive, "need " + sum},
		{"another layout version", tarWith(t, map[string]string{"oci-layout": `{"imageLayoutVersion":"9"}`}), oci.BadArchive, `have version "9"`},
		{"no index", tarWith(t, map[string]string{"oci-layout": `{"imageLayoutVersion":"1.0.0"}`}), oci.BadArchive, "cannot read index.json"},
	}
	for _, tt := range tests {
		t.Run(tt.summary, func(t *testing.T) {
			_, err := source(store(t)).Resolve(t.Context(), want(bundle.ImageWant{Ref: "app:1", Archive: archive(t, tt.raw)}))
			if all := fault.All(err); len(all) == 0 || all[0].Code != tt.code.Code || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("have %v, need %s with %q", err, tt.code.Code, tt.says)
			}
		})
	}
}

// A full disk is the machine's trouble, not the archive's.
func TestUnpackOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("cannot mount a small tmpfs here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	s := must(bundle.OpenStore(dir))(t)
	_, plain := imageTar(t, 2<<20)
	_, err := source(s).Resolve(t.Context(), want(bundle.ImageWant{Ref: "app:1", Archive: archive(t, compress(t, archives.Gz{}, plain))}))
	if all := fault.All(err); len(all) != 1 || all[0].Code != bundle.DiskFull.Code {
		t.Errorf("have %v, need DISK-FULL and nothing else", err)
	}
	if found := kept(t, s, digest.Of(nil)); len(found) > 0 {
		t.Errorf("have %v kept, need nothing", found)
	}
}
