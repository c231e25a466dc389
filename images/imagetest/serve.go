package imagetest

import (
	"bytes"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
)

// Serve lays the engine's view of the entries with hard links, starts the
// registry program with the engine's own configuration (only address and root
// are replaced) and returns its address when it answers. At the end of the test
// the tree must be as it was laid: on a node the registry cannot write to it.
func Serve(t *testing.T, e images.Engine, binary string, store Dir, entries []bundle.ImageEntry) string {
	t.Helper()
	root := filepath.Join(filepath.Dir(string(store)), "registry")
	view, err := e.View(store, entries)
	if err != nil {
		t.Fatal(err)
	}
	if err := images.Lay(root, string(store), view); err != nil {
		t.Fatal(err)
	}
	addr := freeAddress(t)
	svc := e.Service()
	var config, text string
	for _, f := range svc.Files {
		if strings.HasPrefix(f.Path, "/etc/caisson/registry.") {
			config, text = filepath.Join(t.TempDir(), filepath.Base(f.Path)), string(f.Data)
		}
	}
	host, port, _ := net.SplitHostPort(addr)
	text = strings.NewReplacer(svc.Root, root, svc.Address, addr, `"5000"`, `"`+port+`"`, "127.0.0.1", host).Replace(text)
	write(t, config, text)
	var log bytes.Buffer
	cmd := exec.Command(binary, "serve", config)
	cmd.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none", "OTEL_SDK_DISABLED=true")
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		unchanged(t, root, view)
		if t.Failed() {
			t.Logf("%s said:\n%s", e.Name(), log.String())
		}
	})
	awaitAnswer(t, "http://"+addr+"/v2/", ended)
	return addr
}

// unchanged holds that the files below root are those of the view.
func unchanged(t *testing.T, root string, view []images.ViewEntry) {
	t.Helper()
	laid := map[string]bool{}
	for _, e := range view {
		laid[filepath.Join(root, e.Path)] = true
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !laid[path] {
			t.Errorf("the registry wrote %s", path)
		}
		delete(laid, path)
		return err
	})
	if err != nil || len(laid) > 0 {
		t.Errorf("the registry removed %v (%v)", laid, err)
	}
}

// awaitAnswer tries until the registry answers 200, or ended closes.
func awaitAnswer(t *testing.T, url string, ended <-chan struct{}) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for {
		resp, err := http.Get(url)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-ended:
			t.Fatal("the registry ended before it answered")
		case <-late:
			t.Fatalf("the registry did not answer within a minute: %v", err)
		case <-tick.C:
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// PullAll pulls every entry by tag and by digest, and everything that its
// closure names by digest, and compares digests, sizes and media types.
func PullAll(t *testing.T, addr string, store Dir, entries []bundle.ImageEntry) {
	t.Helper()
	for _, e := range entries {
		n, err := images.ParseRef(e.Ref)
		if err != nil {
			t.Fatal(err)
		}
		repo := addr + "/" + n.Repository()
		want := images.Blob{Digest: e.Digest, Size: e.Size, MediaType: e.MediaType}
		if n.Tag != "" {
			pull(t, e.Ref+" by tag", repo+":"+n.Tag, want)
		}
		blobs, err := images.Closure(store, e)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blobs {
			what := e.Ref + ": " + string(b.Kind) + " " + string(b.Digest)
			if b.Served() {
				pull(t, what, repo+"@"+string(b.Digest), b)
			} else {
				pullBlob(t, what, repo+"@"+string(b.Digest), b)
			}
		}
	}
}

func pull(t *testing.T, what, ref string, want images.Blob) {
	t.Helper()
	r, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	got, err := remote.Get(r) // checks the bytes against their digest
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	if got.Digest.String() != string(want.Digest) || got.Size != want.Size || string(got.MediaType) != want.MediaType {
		t.Errorf("%s: have %s of %d bytes, %s; want %s of %d bytes, %s", what, got.Digest, got.Size, got.MediaType, want.Digest, want.Size, want.MediaType)
	}
}

func pullBlob(t *testing.T, what, ref string, want images.Blob) {
	t.Helper()
	r, err := name.NewDigest(ref, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	l, err := remote.Layer(r)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	rc, err := l.Compressed()
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	defer rc.Close()
	if n, err := io.Copy(io.Discard, rc); err != nil || n != want.Size {
		t.Errorf("%s: have %d bytes (%v), want %d", what, n, err, want.Size)
	}
}
