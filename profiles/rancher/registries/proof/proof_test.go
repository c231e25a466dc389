package proof_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/rancher/wharfie/pkg/registries"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles/rancher/config"
	ours "caisson.dev/caisson/profiles/rancher/registries"
	"caisson.dev/caisson/profiles/rancher/registries/proof"
)

// asked notes each host that somebody wants to reach through it, and reaches none.
type asked struct {
	mu    sync.Mutex
	hosts []string
}

func (a *asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if host := r.Host; !slices.Contains(a.hosts, host) {
		a.hosts = append(a.hosts, host)
	}
	http.Error(w, "no way", http.StatusForbidden)
}

func (a *asked) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := a.hosts
	a.hosts = nil
	return out
}

// net/http reads the proxy variables once, at the first request: they are set
// before any test, for this whole program.
var way = &asked{}

func TestMain(m *testing.M) {
	proxy := httptest.NewServer(way)
	for _, v := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		os.Setenv(v, proxy.URL)
	}
	for _, v := range []string{"NO_PROXY", "no_proxy"} {
		os.Setenv(v, "")
	}
	os.Setenv("DOCKER_CONFIG", os.DevNull)
	code := m.Run()
	proxy.Close()
	os.Exit(code)
}

func site(t *testing.T, own string) (ours.Config, []byte) {
	t.Helper()
	c := ours.Config{Mirrors: []ours.Mirror{
		{Mirror: images.Mirror{Base: own}},
		{Mirror: images.Mirror{Base: "https://cp-2.site.example:5443"}, Auth: &ours.Auth{Username: "node", Password: "secret"}}}, Hosts: []string{"docker.io", "registry.k8s.io"}}
	data, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	return c, data
}

func TestRegistries(t *testing.T) {
	c, data := site(t, "http://127.0.0.1:5000")
	for _, p := range []config.Product{config.RKE2, config.K3s} {
		if err := proof.Registries(p, c, data); err != nil {
			t.Error(err)
		}
	}
	for summary, change := range map[string]func(string) string{
		"a key that is none":  func(s string) string { return strings.Replace(s, "password:", "pasword:", 1) },
		"another prefix":      func(s string) string { return strings.Replace(s, "docker.io/$1", "docker.oi/$1", 1) },
		"no YAML":             func(s string) string { return s + "\n[" },
		"one host less":       func(s string) string { return strings.Replace(s, "registry.k8s.io:", "registry.k8s.in:", 1) },
		"a star without text": func(s string) string { return strings.Replace(s, `'*':`, "~:", 1) },
	} {
		if err := proof.Registries(config.RKE2, c, []byte(change(string(data)))); !proof.Refused.Is(err) {
			t.Errorf("%s: have %v, need REGISTRIES-REFUSED", summary, err)
		}
	}
	if err := proof.Registries(config.RKE2, ours.Config{}, data); !ours.Invalid.Is(err) {
		t.Errorf("have %v, need REGISTRIES-INVALID", err)
	}
}

// TestRuntimeImagePull has wharfie itself pull, as RKE2 does for its runtime
// image: the enclave's registries are asked in their order, and then the
// image's own registry, whatever registries.yaml says. The day that this changes
// the archive check is no longer all that stands there.
func TestRuntimeImagePull(t *testing.T) {
	var at []string
	own := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at = append(at, r.URL.Path+"?"+r.URL.RawQuery)
		if r.URL.Path != "/v2/" { // as registries do, who have no such image
			http.NotFound(w, r)
		}
	}))
	defer own.Close()
	_, data := site(t, own.URL)
	path := filepath.Join(t.TempDir(), "registries.yaml")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := registries.GetPrivateRegistries(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ ref, own, last string }{
		{"index.docker.io/rancher/rke2-runtime:v1.36.3-rke2r1", "/v2/docker.io/rancher/rke2-runtime/manifests/v1.36.3-rke2r1?ns=docker.io", "index.docker.io:443"},
		{"busybox", "/v2/docker.io/library/busybox/manifests/latest?ns=docker.io", "index.docker.io:443"},
		{"quay.io/a/b:1", "/v2/not-carried/a/b/manifests/1?ns=quay.io", "quay.io:443"},
		{"registry.k8s.io/pause@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			"/v2/registry.k8s.io/pause/manifests/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855?ns=registry.k8s.io", "registry.k8s.io:443"},
	} {
		ref, err := name.ParseReference(c.ref)
		if err != nil {
			t.Fatal(err)
		}
		at = nil
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		_, err = r.Image(ref, remote.WithContext(ctx))
		cancel()
		if err == nil {
			t.Fatalf("%s: pulled from nowhere", c.ref)
		}
		if have := way.take(); !slices.Equal(have, []string{"cp-2.site.example:5443", c.last}) {
			t.Errorf("%s: wharfie asks %q besides the node's own, need the other server and then %s", c.ref, have, c.last)
		}
		if !slices.Contains(at, c.own) {
			t.Errorf("%s: the node's own registry is asked for %q, need %s", c.ref, at, c.own)
		}
	}
}

// TestRuntimeImageFromOwnRegistry: where the node's own registry holds the
// image, wharfie finds it there and asks nobody else. (With the prefix as a path
// of the endpoint it does not: it takes the 404 for that path as the answer.)
func TestRuntimeImageFromOwnRegistry(t *testing.T) {
	own := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer own.Close()
	img, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	held, err := name.ParseReference(strings.TrimPrefix(own.URL, "http://") + "/docker.io/rancher/rke2-runtime:v1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(held, img); err != nil {
		t.Fatal(err)
	}
	_, good := site(t, own.URL)
	byPath := "mirrors: {docker.io: {endpoint: ['" + images.Mirror{Base: own.URL}.URL("docker.io") + "']}}\n"
	for _, c := range []struct {
		summary string
		data    []byte
		found   bool
	}{{"as written", good, true}, {"by path", []byte(byPath), false}} {
		path := filepath.Join(t.TempDir(), "registries.yaml")
		if err := os.WriteFile(path, c.data, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := registries.GetPrivateRegistries(path)
		if err != nil {
			t.Fatal(err)
		}
		ref, err := name.ParseReference("index.docker.io/rancher/rke2-runtime:v1")
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Image(ref)
		if others := way.take(); (err == nil) != c.found || (len(others) == 0) != c.found {
			t.Errorf("%s: have %v, and %q asked besides", c.summary, err, others)
		}
	}
}
