package oci_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/sources/oci"
)

// upstream is a registry in this process; it counts blob downloads.
type upstream struct {
	http.Handler
	host string
	mu   sync.Mutex
	gets []string
	deny int
}

func newUpstream(t *testing.T) *upstream {
	u := &upstream{}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	u.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	})
	srv := httptest.NewServer(u)
	t.Cleanup(srv.Close)
	u.host = strings.TrimPrefix(srv.URL, "http://")
	return u
}

func (u *upstream) ref(t *testing.T, s string) name.Reference {
	t.Helper()
	return must(name.ParseReference(u.host + "/" + s))(t)
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
			if _, err := source(s).Resolve(t.Context(), want(tt.im)); !tt.code.Is(err) {
				t.Errorf("have %v, need %s", err, tt.code.Code)
			}
		})
	}
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
	src := source(s)
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

// A registry that hands out tokens gets one with every request; the server that
// it sends us to for blobs never sees it.
func TestTokens(t *testing.T) {
	u := newUpstream(t)
	im := must(random.Image(5000, 1))(t)
	if err := remote.Write(u.ref(t, "app:1"), im); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var leaked []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		leaked = append(leaked, r.Header.Get("Authorization"))
		mu.Unlock()
		u.ServeHTTP(w, r)
	}))
	t.Cleanup(elsewhere.Close)
	tokens := 0
	host := strange(t, u, func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.URL.Path == "/token":
			tokens++
			_, _ = w.Write([]byte(`{"token":"secret"}`))
		case r.Header.Get("Authorization") != "Bearer secret":
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/token",service="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		case strings.Contains(r.URL.Path, "/blobs/"):
			http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusTemporaryRedirect)
		default:
			return false
		}
		return true
	})
	bring(t, store(t), bundle.ImageWant{Ref: host + "/app:1", Registry: true}, must(im.Digest())(t), 3)
	if len(leaked) != 2 || leaked[0]+leaked[1] != "" {
		t.Errorf("have %q told to the other server in %d requests, need nothing in 2", leaked, len(leaked))
	}
	if tokens != 2 {
		t.Errorf("have %d tokens asked for, need one to resolve and one to collect", tokens)
	}
}
