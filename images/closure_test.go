package images_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/images/imagetest"
	"caisson.dev/caisson/internal/digest"
)

const (
	ociManifest = "application/vnd.oci.image.manifest.v1+json"
	ociIndex    = "application/vnd.oci.image.index.v1+json"
	dockerImage = "application/vnd.docker.distribution.manifest.v2+json"
)

func filled(t *testing.T) (imagetest.Dir, []bundle.ImageEntry) {
	t.Helper()
	store := imagetest.Dir(t.TempDir())
	entries, err := imagetest.Fill(store)
	if err != nil {
		t.Fatal(err)
	}
	return store, entries
}

func TestClosure(t *testing.T) {
	store, entries := filled(t)
	for _, e := range entries {
		blobs, err := images.Closure(store, e)
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, b := range blobs {
			kinds = append(kinds, string(b.Kind))
			if n, err := store.Size(b.Digest); err != nil || n != b.Size {
				t.Errorf("%s: have size %d of %s, want %d (%v)", e.Ref, b.Size, b.Digest, n, err)
			}
		}
		if blobs[0].Digest != e.Digest {
			t.Errorf("%s: have %s first, want the image's own manifest", e.Ref, blobs[0].Digest)
		}
		want := map[string]string{
			"docker.io/library/oci:1":           "manifest config layer layer",
			"registry.k8s.io/multi:1":           "index manifest config layer manifest config layer",
			"registry.k8s.io/sparse:1":          "index manifest config layer",
			"quay.io/docker/list:2":             "index manifest config layer layer manifest config layer",
			"reg.local:5000/deep/er/name.v2:v1": "manifest config layer layer layer",
			"quay.io/docker/image:2":            "manifest config layer layer",
		}[e.Ref]
		if have := strings.Join(kinds, " "); want != "" && have != want {
			t.Errorf("%s: have %s, want %s", e.Ref, have, want)
		}
	}
}

func TestDedupe(t *testing.T) {
	store, entries := filled(t)
	blobs, apart, err := images.Dedupe(store, entries)
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(string(store))
	if err != nil {
		t.Fatal(err)
	}
	if len(blobs) != len(files) {
		t.Errorf("have %d blobs, want the store's %d", len(blobs), len(files))
	}
	if total := images.Total(blobs); apart <= total {
		t.Errorf("have %d bytes apart, want more than the %d together", apart, total)
	}
}

// TestEveryBlobIsNeeded removes each blob of a store in turn, and damages each:
// the images that hold it are refused, by code and with its digest.
func TestEveryBlobIsNeeded(t *testing.T) {
	store, entries := filled(t)
	blobs, _, err := images.Dedupe(store, entries)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blobs {
		path := store.Path(b.Digest)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if _, _, err := images.Dedupe(store, entries); !images.ErrBlobMissing.Is(err) && !spare(err, b) {
			t.Errorf("%s %s removed: have %v, want IMAGE-BLOB-MISSING", b.Kind, b.Digest, err)
		}
		damaged := append([]byte("x"), raw...)
		if b.Served() { // a manifest is hashed, so the same size is noticed too
			damaged = damaged[:len(raw)]
		}
		if err := os.WriteFile(path, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := images.Dedupe(store, entries); !images.ErrBlobDiffers.Is(err) || !strings.Contains(err.Error(), string(b.Digest)) {
			t.Errorf("%s %s damaged: have %v, want IMAGE-BLOB-DIFFERS", b.Kind, b.Digest, err)
		}
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// spare reports whether the blob is the manifest of another platform, which may
// be absent as a whole; its layers alone may not.
func spare(err error, b images.Blob) bool { return err == nil && b.Kind == images.KindManifest }

// memory is a Reader of blobs in memory.
type memory map[digest.Digest][]byte

func (m memory) add(raw string) digest.Digest {
	d := digest.Of([]byte(raw))
	m[d] = []byte(raw)
	return d
}

// reader reads memory.
type reader struct{ m memory }

func (r reader) Open(d digest.Digest) (io.ReadCloser, error) {
	if raw, ok := r.m[d]; ok {
		return io.NopCloser(bytes.NewReader(raw)), nil
	}
	return nil, fs.ErrNotExist
}

func (r reader) Size(d digest.Digest) (int64, error) {
	if raw, ok := r.m[d]; ok {
		return int64(len(raw)), nil
	}
	return 0, fs.ErrNotExist
}

func TestClosureRefuses(t *testing.T) {
	blob := func(d digest.Digest, n int) string {
		return fmt.Sprintf(`{"mediaType":"application/octet-stream","digest":%q,"size":%d}`, d, n)
	}
	m := memory{}
	config := blob(m.add("{}"), 2)
	nested := func(depth int) string {
		raw := `{"schemaVersion":2,"mediaType":"` + ociManifest + `","config":` + config + `,"layers":[]}`
		mt := ociManifest
		for range depth {
			d := m.add(raw)
			raw = fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"digest":%q,"size":%d}]}`, ociIndex, mt, d, len(raw))
			mt = ociIndex
		}
		return raw
	}
	for _, c := range []struct {
		summary, mediaType, raw, want string
	}{
		{"a plain image is fine", ociManifest, nested(0), ""},
		{"indexes in indexes are fine", ociIndex, nested(3), ""},
		{"too deep", ociIndex, nested(6), "deep"},
		{"not JSON", ociManifest, `<html>`, "not a manifest"},
		{"Docker's schema 1", "application/vnd.docker.distribution.manifest.v1+json", `{"schemaVersion":1,"fsLayers":[]}`, "schemaVersion 1"},
		{"an image and an index at once", ociManifest, `{"schemaVersion":2,"mediaType":"` + ociManifest + `","config":` + config + `,"layers":[],"manifests":[]}`, "both"},
		{"an index under an image's type", ociManifest, `{"schemaVersion":2,"manifests":[]}`, "no config"},
		{"an image under an index's type", ociIndex, `{"schemaVersion":2,"config":` + config + `}`, "no manifests"},
		{"it says another type than its entry", ociManifest, `{"schemaVersion":2,"mediaType":"` + ociIndex + `","config":` + config + `}`, "media type"},
		{"Docker's type, but it does not say so", dockerImage, `{"schemaVersion":2,"config":` + config + `}`, "media type"},
		{"an unknown type", "text/html", `{"schemaVersion":2}`, "media type"},
		{"a blob without a digest", ociManifest, `{"schemaVersion":2,"config":{"mediaType":"x","digest":"","size":1}}`, "need both"},
		{"a digest of another kind", ociManifest, `{"schemaVersion":2,"config":{"mediaType":"x","digest":"sha512:00","size":1}}`, "not a manifest"},
		{"too large", ociManifest, `{"schemaVersion":2,"x":"` + strings.Repeat("x", 4<<20) + `"}`, "at most"},
	} {
		t.Run(c.summary, func(t *testing.T) {
			e := bundle.ImageEntry{Ref: "a.b/c:1", MediaType: c.mediaType, Digest: m.add(c.raw), Size: int64(len(c.raw))}
			_, err := images.Closure(reader{m}, e)
			if c.want == "" && err != nil {
				t.Fatal(err)
			}
			if c.want != "" && (!images.ErrManifestRefused.Is(err) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("have %v, want IMAGE-MANIFEST-REFUSED with %q", err, c.want)
			}
		})
	}
}

func TestRepositoriesRefuse(t *testing.T) {
	store, entries := filled(t)
	again := entries[4]
	again.Ref = entries[0].Ref
	if _, err := images.Repositories(store, append(entries, again)); !images.ErrRefTwice.Is(err) {
		t.Errorf("two images of one name: have %v, want IMAGE-REF-TWICE", err)
	}
	wrong := entries[0]
	wrong.Ref = "a.b/c@sha256:" + strings.Repeat("0", 64)
	if _, err := images.Repositories(store, []bundle.ImageEntry{wrong}); !images.ErrBlobDiffers.Is(err) {
		t.Errorf("another digest than the name's: have %v, want IMAGE-BLOB-DIFFERS", err)
	}
}

// FuzzClosure feeds manifests of any content: it ends, and never answers with a
// blob that is not there.
func FuzzClosure(f *testing.F) {
	f.Add(`{"schemaVersion":2,"config":{"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}}`, ociManifest)
	f.Add(`{"schemaVersion":2,"manifests":[{"platform":{"os":"linux"}}]}`, ociIndex)
	f.Fuzz(func(t *testing.T, raw, mediaType string) {
		m := memory{}
		m.add("{}")
		e := bundle.ImageEntry{Ref: "a.b/c:1", MediaType: mediaType, Digest: m.add(raw), Size: int64(len(raw))}
		blobs, err := images.Closure(reader{m}, e)
		if err != nil {
			return
		}
		if !json.Valid([]byte(raw)) {
			t.Fatalf("accepted %q", raw)
		}
		for _, b := range blobs {
			if int64(len(m[b.Digest])) != b.Size {
				t.Fatalf("have %+v, want %d bytes", b, len(m[b.Digest]))
			}
		}
	})
}
