package release_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fetch"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/sources/file"
)

// TestMain makes this program trust the test servers' authority by the one way
// that docs/spec.md names for a mirror's own: nothing here turns a check off.
func TestMain(m *testing.M) {
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	srv.Close()
	dir, err := os.MkdirTemp("", "ca")
	if err != nil {
		panic(err)
	}
	name := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		panic(err)
	}
	os.Setenv("SSL_CERT_FILE", name)
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// vendor is a server with the layout of the vendor's releases.
type vendor struct {
	files map[string][]byte                                           // "v1.36.2+k3s1/k3s" -> its bytes
	odd   func(w http.ResponseWriter, r *http.Request, f string) bool // answers instead, if it says so
	mu    sync.Mutex
	asked []string // method, escaped path and range
}

const root = "/download/"

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	v.asked = append(v.asked, strings.TrimSpace(r.Method+" "+r.URL.EscapedPath()+" "+r.Header.Get("Range")))
	v.mu.Unlock()
	name := strings.TrimPrefix(r.URL.Path, root)
	body, ok := v.files[name]
	switch {
	case v.odd != nil && v.odd(w, r, name):
	case !ok:
		http.NotFound(w, r)
	default:
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}
}

// heard counts the requests that begin with text.
func (v *vendor) heard(text string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := 0
	for _, line := range v.asked {
		if strings.HasPrefix(line+" ", text) {
			n++
		}
	}
	return n
}

// publish makes the files of a choice, with a checksum file that has lines for
// files besides them, as the vendor's has.
func publish(t *testing.T, files map[string][]byte, c release.Choice) {
	t.Helper()
	list, err := c.Files()
	if err != nil {
		t.Fatal(err)
	}
	lists, err := c.Lists()
	if err != nil {
		t.Fatal(err)
	}
	sums := digest.Of(nil).Hex() + "  rke2-images-all.linux-" + c.Arch + ".txt\n"
	for _, f := range append(lists, list[:len(list)-1]...) {
		body := bytes.Repeat([]byte(f.Name+" of "+c.Version.String()+"\n"), 20_000)
		files[c.Version.String()+"/"+f.Name] = body
		if f.Name != "k3s-images.txt" {
			sums += digest.Of(body).Hex() + "  " + f.Name + "\n"
		}
	}
	files[c.Version.String()+"/"+list[len(list)-1].Name] = []byte(sums)
}

func source(t *testing.T, dir string) file.Source {
	t.Helper()
	s, err := bundle.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := fetch.Default()
	c.Wait = func(ctx context.Context, _ int, _ time.Duration) error { return ctx.Err() }
	return file.Source{Store: s, Fetch: c, Dir: dir}
}

// short lets only so many bytes of a body through.
type short struct {
	http.ResponseWriter
	left int
}

func (s *short) Write(p []byte) (int, error) {
	if len(p) > s.left {
		p = p[:s.left]
	}
	n, err := s.ResponseWriter.Write(p)
	s.left -= n
	if s.left == 0 && err == nil {
		s.ResponseWriter.(http.Flusher).Flush()
		err = http.ErrAbortHandler
	}
	return n, err
}
