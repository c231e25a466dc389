package oci_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/klauspost/compress/zstd"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/sources/oci"
)

func overwrite(t *testing.T, path, text string) {
	t.Helper()
	_ = os.Remove(path)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// tarOf packs a folder, as skopeo and podman write an oci-archive.
func tarOf(t *testing.T, dir string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := errors.Join(w.AddFS(os.DirFS(dir)), w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func archive(t *testing.T, raw []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOCIArchive(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "layout")
	im := must(random.Image(5000, 2))(t)
	if err := must(layout.Write(dir, empty.Index))(t).AppendImage(im); err != nil {
		t.Fatal(err)
	}
	root, plain := must(im.Digest())(t), tarOf(t, dir)
	var zipped, zstded bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, err := z.Write(plain)
	zw := must(zstd.NewWriter(&zstded))(t)
	_, zerr := zw.Write(plain)
	if err := errors.Join(err, zerr, z.Close(), zw.Close()); err != nil {
		t.Fatal(err)
	}
	for summary, raw := range map[string][]byte{"plain": plain, "gzip": zipped.Bytes(), "zstd": zstded.Bytes()} {
		t.Run(summary, func(t *testing.T) {
			bring(t, store(t), bundle.ImageWant{Ref: "docker.io/library/app:1", Archive: archive(t, raw)}, root, 4)
		})
	}
}

func TestDockerSave(t *testing.T) {
	one, two := must(random.Image(5000, 2))(t), must(random.Image(4000, 1))(t)
	path := filepath.Join(t.TempDir(), "save.tar")
	err := tarball.MultiWriteToFile(path, map[name.Tag]v1.Image{
		must(name.NewTag("docker.io/library/one:1"))(t): one, must(name.NewTag("quay.io/x/two:2"))(t): two})
	if err != nil {
		t.Fatal(err)
	}
	s := store(t)
	src := oci.Source{Store: s}
	var pins [2]bundle.Pin
	for i := range pins {
		pins[i] = must(src.Resolve(t.Context(), want(bundle.ImageWant{Ref: "one:1", Archive: path})))(t)
	}
	if pins[0].Image.Digest != pins[1].Image.Digest {
		t.Errorf("have %s, then %s for one archive", pins[0].Image.Digest, pins[1].Image.Digest)
	}
	got := must(src.Collect(t.Context(), pins[0], s, nil))(t)
	m := must(v1.ParseManifest(must(s.Open(got[0].Digest))(t)))(t)
	layers := must(one.Layers())(t)
	for i, l := range m.Layers {
		if l.Digest != must(layers[i].Digest())(t) || !s.Has(got[i+2].Digest) {
			t.Errorf("have layer %d %s, need the archive's own bytes", i, l.Digest)
		}
	}
	if m.Config.Digest != must(one.ConfigName())(t) {
		t.Errorf("have configuration %s", m.Config.Digest)
	}
	if _, err := src.Resolve(t.Context(), want(bundle.ImageWant{Ref: "three:3", Archive: path})); !oci.Missing.Is(err) {
		t.Errorf("have %v, need IMAGE-MISSING", err)
	}
	pins[0].Image.Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if _, err := src.Collect(t.Context(), pins[0], s, nil); !oci.Missing.Is(err) {
		t.Errorf("a changed archive: have %v, need IMAGE-MISSING", err)
	}
}

func TestHostileArchives(t *testing.T) {
	plain := func(hdr tar.Header) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		if hdr.Typeflag == 0 {
			hdr.Typeflag = tar.TypeReg
		}
		if err := errors.Join(w.WriteHeader(&hdr), w.Flush(), w.Close()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	twice := func() []byte {
		one := plain(tar.Header{Name: "index.json"})
		return append(one[:512:512], one...)
	}
	tests := map[string][]byte{
		"nothing":        nil,
		"no tar":         bytes.Repeat([]byte("no tar at all "), 100),
		"upwards":        plain(tar.Header{Name: "../../etc/passwd"}),
		"absolute":       plain(tar.Header{Name: "/etc/passwd"}),
		"a device":       plain(tar.Header{Name: "blobs/x", Typeflag: tar.TypeBlock}),
		"a link upwards": plain(tar.Header{Name: "oci-layout", Typeflag: tar.TypeSymlink, Linkname: "../../etc/passwd"}),
		"absolute link":  plain(tar.Header{Name: "oci-layout", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}),
		"a name twice":   twice(),
		"another tar":    plain(tar.Header{Name: "readme"}),
		"an empty list":  tarWith(t, map[string]string{"manifest.json": "[]"}),
		"an odd list":    tarWith(t, map[string]string{"manifest.json": "{"}),
		"no such member": tarWith(t, map[string]string{"manifest.json": `[{"Config":"c","RepoTags":["app:1"],"Layers":["l"]}]`}),
		"layers missing": tarWith(t, map[string]string{"manifest.json": `[{"Config":"c","RepoTags":["app:1"],"Layers":[]}]`,
			"c": `{"rootfs":{"type":"layers","diff_ids":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]}}`}),
		"a layer that differs": tarWith(t, map[string]string{"manifest.json": `[{"Config":"c","RepoTags":["app:1"],"Layers":["l"]}]`, "l": "layer",
			"c": `{"rootfs":{"type":"layers","diff_ids":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]}}`}),
		"another layout version": tarWith(t, map[string]string{"oci-layout": `{"imageLayoutVersion":"9"}`}),
		"no index":               tarWith(t, map[string]string{"oci-layout": `{"imageLayoutVersion":"1.0.0"}`}),
	}
	for summary, raw := range tests {
		t.Run(summary, func(t *testing.T) {
			_, err := (oci.Source{Store: store(t)}).Resolve(t.Context(), want(bundle.ImageWant{Ref: "app:1", Archive: archive(t, raw)}))
			if !oci.BadArchive.Is(err) && !oci.Missing.Is(err) {
				t.Errorf("have %v, need IMAGE-ARCHIVE or IMAGE-MISSING", err)
			}
		})
	}
}

func tarWith(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, text := range files {
		err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(text)), Mode: int64(fs.FileMode(0o644))})
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func FuzzArchive(f *testing.F) {
	f.Add(tarWith(f, map[string]string{"manifest.json": `[{"Config":"c","RepoTags":["app:1"],"Layers":["l"]}]`, "c": `{"rootfs":{"type":"layers","diff_ids":[]}}`}))
	f.Add(tarWith(f, map[string]string{"oci-layout": `{"imageLayoutVersion":"1.0.0"}`, "index.json": `{"schemaVersion":2,"manifests":[]}`}))
	s, err := bundle.OpenStore(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(f.TempDir(), "a.tar")
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		_, _ = oci.Source{Store: s}.Resolve(t.Context(), want(bundle.ImageWant{Ref: "app:1", Archive: path}))
	})
}
