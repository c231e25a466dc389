package oci_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fetch"
	"caisson.dev/caisson/sources/oci"
)

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// multi is an index with an image for amd64 and one for arm64.
func multi(t *testing.T) (v1.ImageIndex, v1.Image) {
	t.Helper()
	amd, arm := must(random.Image(5000, 2))(t), must(random.Image(3000, 1))(t)
	add := func(im v1.Image, arch string) mutate.IndexAddendum {
		return mutate.IndexAddendum{Add: im, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}}
	}
	return mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), add(arm, "arm64"), add(amd, "amd64")), amd
}

func store(t *testing.T) *bundle.Store {
	t.Helper()
	return must(bundle.OpenStore(t.TempDir()))(t)
}

// source asks registries with no pause between tries.
func source(s *bundle.Store) oci.Source {
	c := fetch.Default()
	c.Wait = func(ctx context.Context, _ int, _ time.Duration) error { return ctx.Err() }
	return oci.Source{Store: s, Fetch: c}
}

func want(im bundle.ImageWant) bundle.Want { return bundle.Want{Name: "image/" + im.Ref, Image: &im} }

// bring resolves and collects, and holds the outcome against the image.
func bring(t *testing.T, s *bundle.Store, im bundle.ImageWant, root v1.Hash, blobs int) bundle.Pin {
	t.Helper()
	src := source(s)
	pin, err := src.Resolve(t.Context(), want(im))
	if err != nil {
		t.Fatal(err)
	}
	if string(pin.Image.Digest) != root.String() {
		t.Fatalf("have %s, need %s", pin.Image.Digest, root)
	}
	got, err := src.Collect(t.Context(), pin, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	for i, a := range got {
		if have, n, err := digest.File(s.Path(a.Digest)); err != nil || have != a.Digest || n != a.Size {
			t.Errorf("have %v as %s of %d bytes: %v", a, have, n, err)
		}
		if name := "image/" + im.Ref + "/" + a.Digest.Hex(); i == 0 && a.Name != "image/"+im.Ref || i > 0 && a.Name != name {
			t.Errorf("have artifact %d named %s", i, a.Name)
		}
		total += a.Size
	}
	if len(got) != blobs || total != pin.Image.Size || got[0].Digest != pin.Image.Digest {
		t.Errorf("have %d blobs of %d bytes, need %d of %d", len(got), total, blobs, pin.Image.Size)
	}
	return pin
}

func TestLayout(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "layout")
	index, amd := multi(t)
	single := must(random.Image(2000, 1))(t)
	p := must(layout.Write(dir, empty.Index))(t)
	err := p.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": "docker.io/library/app:1"}))
	if err == nil {
		err = p.AppendImage(single, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": "7"}))
	}
	if err != nil {
		t.Fatal(err)
	}
	amdDigest, singleDigest := must(amd.Digest())(t), must(single.Digest())(t)
	s := store(t)
	pin := bring(t, s, bundle.ImageWant{Ref: "app:1", Layout: dir}, amdDigest, 4)
	bring(t, s, bundle.ImageWant{Ref: "quay.io/any/thing:7", Layout: dir}, singleDigest, 3)
	bring(t, s, bundle.ImageWant{Ref: "quay.io/other:8", Layout: dir, Digest: digest.Digest(singleDigest.String())}, singleDigest, 3)

	// What lies in the store is the image: read back by somebody else's reader.
	back := filepath.Join(t.TempDir(), "back")
	q := must(layout.Write(back, empty.Index))(t)
	for _, a := range must(oci.Source{Store: s}.Collect(t.Context(), pin, s, nil))(t) {
		h := must(v1.NewHash(string(a.Digest)))(t)
		if err := q.WriteBlob(h, must(s.Open(a.Digest))(t)); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.AppendDescriptor(v1.Descriptor{MediaType: types.MediaType(pin.Image.MediaType), Digest: amdDigest, Size: must(s.Size(pin.Image.Digest))(t)}); err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(must(q.Image(amdDigest))(t)); err != nil {
		t.Error(err)
	}

	src := oci.Source{Store: s}
	if _, err := src.Resolve(t.Context(), want(bundle.ImageWant{Ref: "nobody:1", Layout: dir})); !oci.Missing.Is(err) {
		t.Errorf("an image that is not there: have %v", err)
	}
	if _, err := src.Resolve(t.Context(), want(bundle.ImageWant{Ref: "app:1", Layout: dir + "x"})); !oci.BadArchive.Is(err) {
		t.Errorf("a folder that is not there: have %v", err)
	}
	if _, err := src.Resolve(t.Context(), want(bundle.ImageWant{Ref: "app:1", Layout: t.TempDir()})); !oci.BadArchive.Is(err) {
		t.Errorf("a folder that is no layout: have %v", err)
	}
	t.Run("damaged", func(t *testing.T) {
		layers := must(amd.Layers())(t)
		bad := filepath.Join(dir, "blobs/sha256", must(layers[0].Digest())(t).Hex)
		overwrite(t, bad, "something else")
		fresh := store(t)
		if _, err := (oci.Source{Store: fresh}).Collect(t.Context(), pin, fresh, nil); !bundle.DigestMismatch.Is(err) {
			t.Errorf("a changed layer: have %v, need DIGEST-MISMATCH", err)
		}
		overwrite(t, filepath.Join(dir, "blobs/sha256", amdDigest.Hex), "{}")
		if _, err := (oci.Source{Store: fresh}).Collect(t.Context(), pin, fresh, nil); !bundle.DigestMismatch.Is(err) {
			t.Errorf("a changed manifest: have %v, need DIGEST-MISMATCH", err)
		}
	})
}
