package oci_test

import (
	"archive/tar"
	"bytes"
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
	"github.com/mholt/archives"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
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
	im, plain := imageTar(t, 5000)
	packed := map[string][]byte{"plain": plain}
	for _, c := range []archives.Compression{archives.Gz{}, archives.Zstd{}, archives.Xz{}, archives.Bz2{}, archives.Lz4{}} {
		packed[c.Extension()] = compress(t, c, plain)
	}
	for summary, raw := range packed {
		t.Run(summary, func(t *testing.T) {
			bring(t, store(t), bundle.ImageWant{Ref: "docker.io/library/app:1", Archive: archive(t, raw)}, must(im.Digest())(t), 4)
		})
		if summary == "plain" {
			continue
		}
		t.Run(summary+" cut off", func(t *testing.T) {
			s := store(t)
			_, err := source(s).Resolve(t.Context(), want(bundle.ImageWant{Ref: "app:1", Archive: archive(t, raw[:len(raw)/2])}))
			if !oci.BadArchive.Is(err) {
				t.Errorf("have %v, need IMAGE-ARCHIVE", err)
			}
			if found := kept(t, s, digest.Of(nil)); len(found) > 0 {
				t.Errorf("have %v kept, need nothing", found)
			}
		})
	}
}

// imageTar is an OCI layout of one image with two layers, as a tar file.
func imageTar(t *testing.T, layerSize int64) (v1.Image, []byte) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "layout")
	im := must(random.Image(layerSize, 2))(t)
	if err := must(layout.Write(dir, empty.Index))(t).AppendImage(im); err != nil {
		t.Fatal(err)
	}
	return im, tarOf(t, dir)
}

func compress(t *testing.T, c archives.Compression, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := must(c.OpenWriter(&b))(t)
	_, err := w.Write(plain)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
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
	src := source(s)
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
