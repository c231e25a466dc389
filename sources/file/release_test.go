package file_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/sources/file"
)

// there is what a place holds beside the release that is looked for.
var there = []string{"v1.31.13+rke2r1", "v1.31.9+rke2r1", "v1.31.14+rke2r1", "v1.31.14+rke2r2", "v1.31.14-rc1+rke2r1", "v1.32.0+k3s1", "v1.32.1+rke2r1", "v1.33.0+rke2r1", "lost+found", "v2"}

// pages are the forms in which servers list a folder.
var pages = map[string]func(name string) string{
	"/none/":   nil,
	"/plain/":  func(name string) string { return name + "\n" },
	"/links/":  func(name string) string { return `<a href="` + strings.ReplaceAll(name, "+", "%2B") + `/">x</a>` },
	"/entity/": func(name string) string { return "<td>" + strings.ReplaceAll(name, "+", "&#43;") + "</td>" },
	"/json/":   func(name string) string { return fmt.Sprintf("{%q:%q},", "name", name) },
}

// TestReleaseThatIsNotThere: the fault names those that are, in order, whatever
// the place's way of telling, and each want of the release says the same.
func TestReleaseThatIsNotThere(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if page := pages[r.URL.Path]; page != nil {
			for _, name := range there {
				fmt.Fprint(w, page(name))
			}
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(srv.Close)
	dir := t.TempDir()
	for _, name := range there {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ place, release, near string }{
		{dir, "v1.31.14+rke2r3", "v1.31.14+rke2r1, v1.31.14+rke2r2, v1.32.1+rke2r1, v1.33.0+rke2r1"},
		{dir, "v1.31.10+rke2r1", "v1.31.9+rke2r1, v1.31.13+rke2r1, v1.31.14+rke2r1"},
		{dir, "v1.31.14+rke2r1", "v1.31.9+rke2r1, v1.31.13+rke2r1, v1.31.14+rke2r2, v1.32.1+rke2r1"}, // its folder is there, and empty
		{dir, "v1.30.0+rke2r1", "v1.31.9+rke2r1, v1.31.13+rke2r1"},
		{dir, "v1.36.3+rke2r1", "v1.32.1+rke2r1, v1.33.0+rke2r1"},
		{dir, "v1.31.14+k3s1", "v1.32.0+k3s1"},
		{filepath.Join(dir, "none"), "v1.31.10+rke2r1", ""},
		{srv.URL + "/none", "v1.31.10+rke2r1", ""},
		{srv.URL + "/plain", "v1.36.3+rke2r1", "v1.32.1+rke2r1, v1.33.0+rke2r1"},
		{srv.URL + "/links", "v1.36.3+rke2r1", "v1.32.1+rke2r1, v1.33.0+rke2r1"},
		{srv.URL + "/entity", "v1.36.3+rke2r1", "v1.32.1+rke2r1, v1.33.0+rke2r1"},
		{srv.URL + "/json", "v1.36.3+rke2r1", "v1.32.1+rke2r1, v1.33.0+rke2r1"},
	} {
		t.Run(strings.ReplaceAll(tt.place, dir, "folder")+"/"+tt.release, func(t *testing.T) {
			at := tt.place + "/" + tt.release + "/"
			wants := []bundle.FileWant{{Path: at + "rke2", Checksum: at + "sums"}, {Path: at + "sums"}}
			if strings.HasPrefix(at, "http") {
				at = tt.place + "/" + strings.Replace(tt.release, "+", "%2B", 1) + "/"
				wants = []bundle.FileWant{{URL: at + "rke2", Checksum: at + "sums"}, {URL: at + "sums"}}
			}
			said := map[string]bool{}
			for _, w := range wants {
				w.Release = tt.release
				_, err := source(t).Resolve(t.Context(), bundle.Want{Name: "x", File: &w})
				if !file.ReleaseMissing.Is(err) || !strings.Contains(err.Error(), at+"sums") {
					t.Fatalf("have %v, need RELEASE-NOT-FOUND with %ssums", err, at)
				}
				said[err.Error()] = true
				hint := strings.Join(fault.All(err)[0].Hints, "\n")
				if tt.near != "" && hint != "the nearest that are there: "+tt.near || tt.near == "" && !strings.Contains(hint, "no list") {
					t.Errorf("have %q, need %q", hint, tt.near)
				}
			}
			if len(said) != 1 {
				t.Errorf("have %d texts for one release, need 1: %v", len(said), said)
			}
		})
	}
}

// TestReleaseThatLacksAFile: the release is there, so its neighbours are no help.
func TestReleaseThatLacksAFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "v1.31.14+rke2r1")
	sums := filepath.Join(dir, "sums")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(sums, []byte(right.Hex()+"  rke2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := source(t).Resolve(t.Context(), bundle.Want{Name: "x", File: &bundle.FileWant{Path: filepath.Join(dir, "rke2"), Checksum: sums, Release: "v1.31.14+rke2r1"}})
	if !file.Unreadable.Is(err) || file.ReleaseMissing.Is(err) {
		t.Errorf("have %v, need SOURCE-FILE", err)
	}
}

// TestLockThatSomebodyChanged: the digest in the Lock must be the one that the
// pinned checksum file states, in a store that has that file and in one that has not.
func TestLockThatSomebodyChanged(t *testing.T) {
	for _, place := range []string{"folder", "server"} {
		t.Run(place, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{"zot": text, "sums": right.Hex() + "  zot\n"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			srv := httptest.NewServer(http.FileServer(http.Dir(dir)))
			defer srv.Close()
			w := bundle.FileWant{Path: filepath.Join(dir, "zot"), Checksum: filepath.Join(dir, "sums")}
			if place == "server" {
				w = bundle.FileWant{URL: srv.URL + "/zot", Checksum: srv.URL + "/sums"}
			}
			s, other := source(t), source(t)
			pin, err := s.Resolve(t.Context(), bundle.Want{Name: "zot", File: &w})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range []file.Source{s, other} {
				if _, err := s.Collect(t.Context(), pin, s.Store, nil); err != nil {
					t.Fatal(err)
				}
				if _, _, err := s.Store.Put(t.Context(), strings.NewReader("another"), wrong); err != nil {
					t.Fatal(err)
				}
				forged := pin
				forged.File = &bundle.FilePin{Size: int64(len("another")), Digest: wrong, Checksums: pin.File.Checksums}
				if _, err := s.Collect(t.Context(), forged, s.Store, nil); !bundle.DigestMismatch.Is(err) || !strings.Contains(err.Error(), string(right)) {
					t.Errorf("have %v, need DIGEST-MISMATCH with %s", err, right)
				}
			}
			forged := pin
			forged.File = &bundle.FilePin{Size: pin.File.Size, Digest: right, Checksums: digest.Of([]byte("a third"))}
			if _, err := other.Collect(t.Context(), forged, other.Store, nil); !bundle.DigestMismatch.Is(err) {
				t.Errorf("have %v, need DIGEST-MISMATCH for another checksum file", err)
			}
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Collect(t.Context(), pin, s.Store, nil); err != nil {
				t.Errorf("have %v, need nothing of the place for what the store has", err)
			}
		})
	}
}
