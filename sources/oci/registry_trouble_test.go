package oci_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/sources/oci"
)

// strange is a registry that answers as odd says, and as u does where odd says nothing.
func strange(t *testing.T, u *upstream, odd func(w http.ResponseWriter, r *http.Request) bool) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !odd(w, r) {
			u.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

// kept lists what a store holds of downloads that came to nothing.
func kept(t *testing.T, s *bundle.Store, d digest.Digest) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"../../partial/*", "../../tmp/*"} {
		for _, path := range must(filepath.Glob(filepath.Join(filepath.Dir(s.Path(d)), pattern)))(t) {
			if info := must(os.Stat(path))(t); info.Size() > 0 {
				found = append(found, path)
			}
		}
	}
	if s.Has(d) {
		found = append(found, s.Path(d))
	}
	return found
}

// A registry that gives other bytes under a digest is found out, and nothing of
// them stays.
func TestLyingRegistry(t *testing.T) {
	u := newUpstream(t)
	im := must(random.Image(5000, 1))(t)
	if err := remote.Write(u.ref(t, "app:1"), im); err != nil {
		t.Fatal(err)
	}
	layer := must(im.Layers())(t)[0]
	d, n := must(layer.Digest())(t), must(layer.Size())(t)
	root := must(im.Digest())(t)
	tests := []struct {
		summary, kind string
		lie           string
		chunked       bool // says no length beforehand
		code          fault.Kind
		says          []string
	}{
		{"a layer of the same size", "blobs/" + d.String(), strings.Repeat("x", int(n)), false, bundle.DigestMismatch, []string{string(digest.Of([]byte(strings.Repeat("x", int(n))))), d.String()}},
		{"a shorter layer", "blobs/" + d.String(), "else", false, bundle.DigestMismatch, []string{"4 bytes", fmt.Sprint(n), d.String()}},
		{"a longer layer", "blobs/" + d.String(), strings.Repeat("x", int(n)+1), false, oci.BadDescriptor, []string{fmt.Sprint(n + 1), fmt.Sprint(n), d.String()}},
		{"a longer layer of no stated size", "blobs/" + d.String(), strings.Repeat("x", 2*int(n)), true, oci.BadDescriptor, []string{fmt.Sprint(n), d.String()}},
		{"a manifest", "manifests/" + root.String(), "{}", true, bundle.DigestMismatch, []string{string(digest.Of([]byte("{}"))), root.String()}},
	}
	for _, tt := range tests {
		t.Run(tt.summary, func(t *testing.T) {
			honest := true
			host := strange(t, u, func(w http.ResponseWriter, r *http.Request) bool {
				if honest || !strings.HasSuffix(r.URL.Path, tt.kind) {
					return false
				}
				if tt.chunked {
					_ = http.NewResponseController(w).Flush()
				}
				_, _ = w.Write([]byte(tt.lie))
				return true
			})
			pin, err := source(store(t)).Resolve(t.Context(), want(bundle.ImageWant{Ref: host + "/app:1", Registry: true}))
			if err != nil {
				t.Fatal(err)
			}
			honest = false
			s := store(t)
			_, err = source(s).Collect(t.Context(), pin, s, nil)
			if all := fault.All(err); len(all) == 0 || all[0].Code != tt.code.Code {
				t.Errorf("have %v, need %s", err, tt.code.Code)
			}
			for _, words := range tt.says {
				if err == nil || !strings.Contains(err.Error(), words) {
					t.Errorf("have no %q in %v", words, err)
				}
			}
			if found := kept(t, s, digest.Digest(d.String())); len(found) > 0 {
				t.Errorf("have %v kept, need nothing", found)
			}
		})
	}
	t.Run("a pinned manifest", func(t *testing.T) {
		host := strange(t, u, func(w http.ResponseWriter, r *http.Request) bool {
			lie := strings.Contains(r.URL.Path, "/manifests/")
			if lie {
				_, _ = w.Write([]byte("{}"))
			}
			return lie
		})
		im := bundle.ImageWant{Ref: host + "/app:1", Registry: true, Digest: digest.Digest(root.String())}
		_, err := source(store(t)).Resolve(t.Context(), want(im))
		if !bundle.DigestMismatch.Is(err) || !strings.Contains(err.Error(), root.String()) || !strings.Contains(err.Error(), string(digest.Of([]byte("{}")))) {
			t.Errorf("have %v, need DIGEST-MISMATCH with both digests", err)
		}
	})
}

// A connection that drops in the middle of a layer costs only the rest of it,
// within a run and between two.
func TestDroppedConnection(t *testing.T) {
	u := newUpstream(t)
	im := must(random.Image(200_000, 1))(t)
	if err := remote.Write(u.ref(t, "app:1"), im); err != nil {
		t.Fatal(err)
	}
	layer := must(im.Layers())(t)[0]
	d := must(layer.Digest())(t)
	raw := must(io.ReadAll(must(layer.Compressed())(t)))(t)
	for _, drops := range []int{1, 3, 7} { // 7 is more than the tries of one run
		t.Run(fmt.Sprint(drops), func(t *testing.T) {
			var asked []string
			host := strange(t, u, func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, "/blobs/"+d.String()) {
					return false
				}
				if asked = append(asked, r.Header.Get("Range")); len(asked) > drops {
					http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(raw))
					return true
				}
				from := 0
				if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err == nil {
					w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(raw)-1, len(raw)))
				}
				w.Header().Set("Content-Length", fmt.Sprint(len(raw)-from))
				if from > 0 {
					w.WriteHeader(http.StatusPartialContent)
				}
				if from == 0 { // later ones bring nothing
					_, _ = w.Write(raw[:50_000])
				}
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			})
			s := store(t)
			src := source(s)
			pin, err := src.Resolve(t.Context(), want(bundle.ImageWant{Ref: host + "/app:1", Registry: true}))
			if err != nil {
				t.Fatal(err)
			}
			_, err = src.Collect(t.Context(), pin, s, nil)
			if drops == 7 {
				if !oci.Unreachable.Is(err) || !strings.Contains(err.Error(), "50000 bytes") || !strings.Contains(err.Error(), d.String()) {
					t.Errorf("have %v, need REGISTRY-UNREACHABLE that says how far it came", err)
				}
				_, err = src.Collect(t.Context(), pin, s, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			for i, have := range asked {
				if want := "bytes=50000-"; i > 0 && have != want {
					t.Errorf("have request %d for %q, need %q", i, have, want)
				}
			}
			if len(asked) != drops+1 || asked[0] != "" {
				t.Errorf("have %d requests %q, need %d", len(asked), asked, drops+1)
			}
		})
	}
}

// A registry that takes a request and says nothing more, at any point, is left.
func TestSilentRegistry(t *testing.T) {
	u := newUpstream(t)
	im := must(random.Image(5000, 1))(t)
	if err := remote.Write(u.ref(t, "app:1"), im); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ summary, at string }{{"from the start", "/v2/"}, {"asked for a tag", "/manifests/1"},
		{"asked for a manifest", "/manifests/sha256:"}, {"asked for a blob", "/blobs/"}} {
		t.Run(tt.summary, func(t *testing.T) {
			var asked atomic.Int64
			held := make(chan struct{})
			host := strange(t, u, func(_ http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, tt.at) && (tt.at == "/v2/" || !strings.Contains(r.URL.Path, tt.at)) {
					return false
				}
				asked.Add(1)
				select {
				case <-r.Context().Done():
				case <-held:
				}
				return true
			})
			t.Cleanup(func() { close(held) })
			s := store(t)
			src := source(s)
			src.Fetch.Stall, src.Fetch.Tries = 30*time.Millisecond, 3
			pin, err := src.Resolve(t.Context(), want(bundle.ImageWant{Ref: host + "/app:1", Registry: true}))
			if tt.at == "/blobs/" && err == nil {
				_, err = src.Collect(t.Context(), pin, s, nil)
			}
			if !oci.Unreachable.Is(err) || asked.Load() < 3 {
				t.Errorf("have %v after %d requests, need REGISTRY-UNREACHABLE after 3", err, asked.Load())
			}
		})
	}
}

// Trouble that passes costs time only.
func TestBusyRegistry(t *testing.T) {
	u := newUpstream(t)
	im := must(random.Image(5000, 1))(t)
	if err := remote.Write(u.ref(t, "app:1"), im); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	seen := map[string]bool{}
	host := strange(t, u, func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		first := !seen[r.URL.Path]
		if seen[r.URL.Path] = true; first {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return first
	})
	bring(t, store(t), bundle.ImageWant{Ref: host + "/app:1", Registry: true}, must(im.Digest())(t), 3)
}
