package oci_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
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

// upstream is a registry in this process; it counts blob downloads.
type upstream struct {
	host string
	mu   sync.Mutex
	gets []string
	deny int
}

func newUpstream(t *testing.T) *upstream {
	u := &upstream{}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.mu.Lock()
		deny := u.deny
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			u.gets = append(u.gets, r.URL.Path)
		}
		u.mu.Unlock()
		if deny != 0 && r.URL.Path != "/v2/" {
			w.WriteHeader(deny)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	u.host = strings.TrimPrefix(srv.URL, "http://")
	return u
}

func (u *upstream) ref(t *testing.T, s string) name.Reference {
	t.Helper()
	return must(name.ParseReference(u.host + "/" + s))(t)
}

func store(t *testing.T) *bundle.Store {
	t.Helper()
	return must(bundle.OpenStore(t.TempDir()))(t)
}

func want(im bundle.ImageWant) bundle.Want { return bundle.Want{Name: "image/" + im.Ref, Image: &im} }

// bring resolves and collects, and holds the outcome against the image.
func bring(t *testing.T, s *bundle.Store, im bundle.ImageWant, root v1.Hash, blobs int) bundle.Pin {
	t.Helper()
	src := oci.Source{Store: s}
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

func TestRegistry(t *testing.T) {
	u := newUpstream(t)
	index, amd := multi(t)
	ref := u.ref(t, "team/app:1")
	if err := remote.WriteIndex(ref, index); err != nil {
		t.Fatal(err)
	}
	amdDigest, indexDigest := must(amd.Digest())(t), must(index.Digest())(t)
	s := store(t)
	bring(t, s, bundle.ImageWant{Ref: ref.String(), Registry: true}, amdDigest, 4)
	if len(u.gets) != 3 {
		t.Errorf("have %d downloads, need a configuration and two layers: %v", len(u.gets), u.gets)
	}
	bring(t, s, bundle.ImageWant{Ref: ref.String(), Registry: true, Platform: "linux/amd64", Digest: digest.Digest(indexDigest.String())}, indexDigest, 5)
	bring(t, s, bundle.ImageWant{Ref: u.host + "/team/app:2", Registry: true, Digest: digest.Digest(amdDigest.String())}, amdDigest, 4)
	if len(u.gets) != 3 {
		t.Errorf("have blobs fetched that are in the store: %v", u.gets)
	}
	bring(t, s, bundle.ImageWant{Ref: ref.String(), Registry: true, Platform: oci.WholeIndex}, indexDigest, 8)

	tests := []struct {
		summary string
		im      bundle.ImageWant
		deny    int
		code    fault.Kind
	}{
		{"no such tag", bundle.ImageWant{Ref: u.host + "/team/app:9", Registry: true}, 0, oci.Missing},
		{"a digest that is not there", bundle.ImageWant{Ref: ref.String(), Registry: true, Digest: digest.Of(nil)}, 0, oci.Missing},
		{"another platform of a pinned index", bundle.ImageWant{Ref: ref.String(), Registry: true, Platform: "linux/s390x", Digest: digest.Digest(indexDigest.String())}, 0, oci.NoPlatform},
		{"another platform", bundle.ImageWant{Ref: ref.String(), Registry: true, Platform: "linux/s390x"}, 0, oci.NoPlatform},
		{"an odd platform", bundle.ImageWant{Ref: ref.String(), Registry: true, Platform: "a/b/c/d"}, 0, oci.BadWant},
		{"a login", bundle.ImageWant{Ref: ref.String(), Registry: true}, 403, oci.Refused},
		{"nobody there", bundle.ImageWant{Ref: "127.0.0.1:1/x:1", Registry: true}, 0, oci.Unreachable},
		{"no name", bundle.ImageWant{Ref: "UPPER:1", Registry: true}, 0, oci.BadWant},
		{"no place", bundle.ImageWant{Ref: ref.String()}, 0, oci.BadWant},
		{"two places", bundle.ImageWant{Ref: ref.String(), Registry: true, Layout: "x"}, 0, oci.BadWant},
	}
	for _, tt := range tests {
		t.Run(tt.summary, func(t *testing.T) {
			u.deny = tt.deny
			if _, err := (oci.Source{Store: s}).Resolve(t.Context(), want(tt.im)); !tt.code.Is(err) {
				t.Errorf("have %v, need %s", err, tt.code.Code)
			}
		})
	}
}

// A registry that gives other bytes under a digest is found out.
func TestLyingRegistry(t *testing.T) {
	u := newUpstream(t)
	im := must(random.Image(5000, 1))(t)
	ref := u.ref(t, "app:1")
	if err := remote.Write(ref, im); err != nil {
		t.Fatal(err)
	}
	liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/blobs/") {
			_, _ = w.Write([]byte("something else"))
			return
		}
		r.URL.Scheme, r.URL.Host, r.RequestURI, r.Host = "http", u.host, "", u.host
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		for k, v := range resp.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(liar.Close)
	s, src := store(t), oci.Source{}
	pin, err := src.Resolve(t.Context(), want(bundle.ImageWant{Ref: strings.TrimPrefix(liar.URL, "http://") + "/app:1", Registry: true}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := src.Collect(t.Context(), pin, s, nil); err == nil {
		t.Error("have other bytes taken for a blob")
	}
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

// One bad image must not keep the others from being told of, and all blobs
// that came are kept.
func TestCollectGoesOn(t *testing.T) {
	u := newUpstream(t)
	im := must(random.Image(5000, 3))(t)
	ref := u.ref(t, "app:1")
	if err := remote.Write(ref, im); err != nil {
		t.Fatal(err)
	}
	s := store(t)
	src := oci.Source{Store: s}
	pin, err := src.Resolve(t.Context(), want(bundle.ImageWant{Ref: ref.String(), Registry: true}))
	if err != nil {
		t.Fatal(err)
	}
	layers := must(im.Layers())(t)
	first := layers[0]
	if _, _, err := s.Put(t.Context(), must(first.Compressed())(t), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := src.Collect(t.Context(), pin, s, nil); err != nil {
		t.Fatal(err)
	}
	if have := must(first.Digest())(t).String(); slices.ContainsFunc(u.gets, func(p string) bool { return strings.HasSuffix(p, have) }) {
		t.Errorf("have a blob fetched that was in the store: %v", u.gets)
	}
}
