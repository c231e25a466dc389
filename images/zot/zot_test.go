package zot_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/images/imagetest"
	"caisson.dev/caisson/images/zot"
	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/spec"
)

func fill(t *testing.T) (imagetest.Dir, []bundle.ImageEntry, []images.ViewEntry) {
	t.Helper()
	store := imagetest.Dir(filepath.Join(t.TempDir(), "store"))
	if err := os.Mkdir(string(store), 0o755); err != nil {
		t.Fatal(err)
	}
	entries, err := imagetest.Fill(store)
	if err != nil {
		t.Fatal(err)
	}
	view, err := zot.Engine{}.View(store, entries)
	if err != nil {
		t.Fatal(err)
	}
	return store, entries, view
}

func TestView(t *testing.T) {
	store, entries, view := fill(t)
	golden.Equal(t, "view.golden", imagetest.Tree(view))
	imagetest.LinksOnly(t, store, view, entries)
}

func TestService(t *testing.T) { imagetest.CheckService(t, zot.Engine{}) }

// TestConfigTraps holds each default of zot that would hurt a seeded registry
// against our configuration.
func TestConfigTraps(t *testing.T) {
	var config map[string]any
	for _, f := range (zot.Engine{}).Service().Files {
		if filepath.Ext(f.Path) == ".json" {
			if err := json.Unmarshal(f.Data, &config); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		trap string
		path []string
		want string // JSON; "null" means left out
	}{
		{"gc deletes images without a tag", []string{"storage", "gc"}, `false`},
		{"dedupe walks the tree at each start and removes the marker", []string{"storage", "dedupe"}, `false`},
		{"a slow client loses its pull after 60 s (read)", []string{"http", "readTimeout"}, `"0s"`},
		{"a slow client loses its pull after 60 s (write)", []string{"http", "writeTimeout"}, `"0s"`},
		{"Docker schema 2 images are refused or change their digest", []string{"http", "compat"}, `["docker2s2"]`},
		{"basic auth brings a database that a read-only root cannot hold", []string{"http", "auth"}, `null`},
		{"anybody could push", []string{"http", "accessControl", "repositories", "**"}, `{"anonymousPolicy":["read"]}`},
		{"search, sync and trust need a database or a way out", []string{"extensions"}, `null`},
		{"the default log level is debug", []string{"log", "level"}, `"info"`},
		{"the registry would listen for other machines", []string{"http", "address"}, `"127.0.0.1"`},
	} {
		t.Run(c.trap, func(t *testing.T) {
			var at any = config
			for _, key := range c.path {
				m, _ := at.(map[string]any)
				at = m[key]
			}
			if have, err := json.Marshal(at); err != nil || string(have) != c.want {
				t.Errorf("%v: have %s (%v), want %s", c.path, have, err, c.want)
			}
		})
	}
}

func TestWant(t *testing.T) {
	const sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for _, c := range []struct {
		summary string
		source  *spec.FileSource
		ok      bool
	}{
		{"a URL with its sum", &spec.FileSource{URL: "https://example.org/zot", SHA256: sum}, true},
		{"a file beside the Spec", &spec.FileSource{Path: "bin/zot"}, true},
		{"a URL with its checksum file", &spec.FileSource{URL: "https://example.org/zot", Checksum: "https://example.org/sums"}, true},
		{"a file with its checksum file", &spec.FileSource{Path: "bin/zot", Checksum: "bin/sums"}, true},
		{"nothing", nil, false},
		{"a URL without a sum", &spec.FileSource{URL: "https://example.org/zot"}, false},
		{"both places", &spec.FileSource{URL: "https://example.org/zot", Path: "x", SHA256: sum}, false},
		{"a sum that is none", &spec.FileSource{Path: "x", SHA256: "12"}, false},
	} {
		t.Run(c.summary, func(t *testing.T) {
			w, err := zot.Engine{}.Want(spec.Enclave{Registry: spec.Registry{Binary: c.source}})
			if c.ok != (err == nil) || (!c.ok && !images.ErrBinaryMissing.Is(err)) {
				t.Fatalf("have %+v, %v", w, err)
			}
			if c.ok && (w.File == nil || w.File.Mode != 0o755 || w.File.Checksum != c.source.Checksum || w.File.URL != c.source.URL) {
				t.Errorf("have %+v", w)
			}
		})
	}
}

// TestServes starts the real registry on a seeded tree and pulls all of it.
func TestServes(t *testing.T) {
	binary := os.Getenv("CAISSON_ZOT_BIN")
	if binary == "" {
		t.Skip("CAISSON_ZOT_BIN does not name the registry program zot")
	}
	store, entries, _ := fill(t)
	addr := imagetest.Serve(t, zot.Engine{}, binary, store, entries)
	imagetest.PullAll(t, addr, store, entries)
	resp, err := http.Post("http://"+addr+"/v2/docker.io/library/oci/blobs/uploads/", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode/100 != 4 {
		t.Errorf("a push: have status %d, want a refusal", resp.StatusCode)
	}
	imagetest.NotCarried(t, addr)
}
