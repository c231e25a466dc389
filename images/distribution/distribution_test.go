package distribution_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"caisson.dev/caisson/images/distribution"
	"caisson.dev/caisson/images/imagetest"
	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/spec"
)

func fill(t *testing.T) imagetest.Dir {
	t.Helper()
	dir := imagetest.Dir(filepath.Join(t.TempDir(), "store"))
	if err := os.Mkdir(string(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestView(t *testing.T) {
	store := fill(t)
	entries, err := imagetest.Fill(store)
	if err != nil {
		t.Fatal(err)
	}
	view, err := distribution.Engine{}.View(store, entries)
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "view.golden", imagetest.Tree(view))
	imagetest.LinksOnly(t, store, view, entries)
}

func TestService(t *testing.T) { imagetest.CheckService(t, distribution.Engine{}) }

func TestWant(t *testing.T) {
	for _, c := range []struct{ version, want string }{{"", distribution.DefaultVersion}, {"v3.0.0", "v3.0.0"}} {
		w, err := distribution.Engine{}.Want(spec.Enclave{Registry: spec.Registry{Version: c.version}})
		if err != nil {
			t.Fatal(err)
		}
		if w.Module == nil || w.Module.Version != c.want {
			t.Errorf("have %+v, want version %s", w.Module, c.want)
		}
		for program := range w.Module.Programs {
			if have := w.Name + "/" + program; have != (distribution.Engine{}).Binary() {
				t.Errorf("have artifact %s, want %s", have, distribution.Engine{}.Binary())
			}
		}
	}
}

// TestServes starts the real registry on a seeded tree and pulls all of it.
func TestServes(t *testing.T) {
	binary := os.Getenv("CAISSON_REGISTRY_BIN")
	if binary == "" {
		t.Skip("CAISSON_REGISTRY_BIN does not name CNCF Distribution's registry program")
	}
	store := fill(t)
	entries, err := imagetest.Fill(store)
	if err != nil {
		t.Fatal(err)
	}
	addr := imagetest.Serve(t, distribution.Engine{}, binary, store, entries)
	imagetest.PullAll(t, addr, store, entries)
	resp, err := http.Post("http://"+addr+"/v2/docker.io/library/oci/blobs/uploads/", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a push: have status %d, want 405", resp.StatusCode)
	}
	imagetest.NotCarried(t, addr)
}

func TestNoImagesNoFiles(t *testing.T) {
	view, err := distribution.Engine{}.View(fill(t), nil)
	if err != nil || len(view) != 0 {
		t.Errorf("have %d files (%v), want none for no images", len(view), err)
	}
}
