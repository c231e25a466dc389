package release_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/fetch"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/sources/file"
)

// carry locks and pulls the choice, by way of the Lock's file form.
func carry(t *testing.T, s file.Source, c release.Choice) (map[string][]bundle.Artifact, error) {
	t.Helper()
	wants, err := c.Wants()
	if err != nil {
		return nil, err
	}
	lock, err := bundle.Resolve(t.Context(), digest.Of(nil), 1, wants, nil, s, nil)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	name := filepath.Join(t.TempDir(), "lock")
	if err := bundle.WriteLock(name, lock); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if lock, err = bundle.ReadLock(raw); err != nil {
		t.Fatal(err)
	}
	return bundle.Collect(t.Context(), lock, s, s.Store, nil)
}

// same holds what was carried against what was published.
func same(t *testing.T, s file.Source, c release.Choice, files map[string][]byte, got map[string][]bundle.Artifact) {
	t.Helper()
	list, err := c.Files()
	lists, wrong := c.Lists()
	list = append(list, lists...)
	if err != nil || wrong != nil || len(list) != len(got) {
		t.Fatalf("have %d artifacts for %d files, %v", len(got), len(list), err)
	}
	for _, f := range list {
		body := files[c.Version.String()+"/"+f.Name]
		a := got[c.Artifact(f)]
		if len(a) != 1 || a[0].Size != int64(len(body)) || a[0].Digest != digest.Of(body) || a[0].Mode.Perm()&0o100 != 0 != (f.Kind == release.Program) {
			t.Errorf("%s: have %+v, need %d bytes of %s", f.Name, a, len(body), digest.Of(body))
			continue
		}
		if stored, err := os.ReadFile(s.Store.Path(a[0].Digest)); err != nil || !bytes.Equal(stored, body) {
			t.Errorf("%s: other bytes in the store, %v", f.Name, err)
		}
	}
}

var choices = []struct {
	tag, arch    string
	cni, ingress []string
}{
	{"v1.31.14+rke2r1", "amd64", []string{"canal"}, []string{"traefik"}},
	{"v1.31.14+rke2r2", "amd64", []string{"cilium"}, []string{"ingress-nginx"}},
	{"v1.36.3+rke2r1", "arm64", []string{"multus", "canal"}, []string{"traefik", "ingress-nginx"}},
	{"v1.31.14+k3s1", "amd64", nil, []string{"traefik"}},
	{"v1.36.2+k3s1", "arm64", nil, []string{"none"}},
}

// TestEveryFileIsCarried: from a mirror, and from a folder.
func TestEveryFileIsCarried(t *testing.T) {
	for _, c := range choices {
		choice := release.Choice{Version: version(t, c.tag), Arch: c.arch, CNI: c.cni, Ingress: c.ingress}
		v := &vendor{files: map[string][]byte{}}
		publish(t, v.files, choice)
		t.Run("server/"+c.tag, func(t *testing.T) {
			srv := httptest.NewTLSServer(v)
			t.Cleanup(srv.Close)
			choice := choice
			choice.URL = srv.URL + root
			s := source(t, "")
			got, err := carry(t, s, choice)
			if err != nil {
				t.Fatal(err)
			}
			same(t, s, choice, v.files, got)
			if v.heard("GET "+root+strings.Replace(c.tag, "+", "%2B", 1)+"/") == 0 || v.heard("GET "+root+c.tag) != 0 {
				t.Errorf("have %q, need + as %%2B", v.asked)
			}
			// Each large file came once: at lock its digest was known from the checksum file.
			for _, w := range got {
				if name := path.Base(w[0].Name); !strings.HasPrefix(name, "sha256sum") && v.heard("GET "+root+strings.Replace(c.tag, "+", "%2B", 1)+"/"+name+" ") != 1 {
					t.Errorf("%s came more than once: %q", name, v.asked)
				}
			}
		})
		t.Run("folder/"+c.tag, func(t *testing.T) {
			dir := t.TempDir()
			for name, body := range v.files {
				name = filepath.Join(dir, "vendor", name)
				if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, body, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			choice := choice
			choice.Path = "vendor"
			s := source(t, dir)
			got, err := carry(t, s, choice)
			if err != nil {
				t.Fatal(err)
			}
			same(t, s, choice, v.files, got)
		})
	}
}

// TestTroubleOnTheWay: what the server does to one file, and what comes of it.
func TestTroubleOnTheWay(t *testing.T) {
	const tag, core = "v1.36.3+rke2r1", "v1.36.3+rke2r1/rke2-images-core.linux-amd64.tar.zst"
	const sums = "v1.36.3+rke2r1/sha256sum-amd64.txt"
	for _, c := range []struct {
		what string
		bad  func(t *testing.T, v *vendor)
		code fault.Kind // zero: all is carried
		says []string
		when string // "lock: " or ""
	}{
		{what: "a connection that is cut twice", bad: func(_ *testing.T, v *vendor) {
			cuts := 0
			v.odd = func(w http.ResponseWriter, r *http.Request, name string) bool {
				if name != core || r.Method != http.MethodGet || cuts == 2 {
					return false
				}
				cuts++
				http.ServeContent(&short{w, 100_000}, r, "", time.Time{}, bytes.NewReader(v.files[name]))
				panic(http.ErrAbortHandler)
			}
		}},
		{what: "a redirect to another server", bad: func(t *testing.T, v *vendor) {
			other := httptest.NewTLSServer(&vendor{files: v.files})
			t.Cleanup(other.Close)
			v.odd = func(w http.ResponseWriter, r *http.Request, _ string) bool {
				http.Redirect(w, r, other.URL+r.URL.EscapedPath(), http.StatusFound)
				return true
			}
		}},
		{what: "a redirect without TLS", code: fetch.Refused, says: []string{"need https"}, when: "lock: ", bad: func(_ *testing.T, v *vendor) {
			v.odd = func(w http.ResponseWriter, r *http.Request, _ string) bool {
				http.Redirect(w, r, "http://127.0.0.1:1"+r.URL.EscapedPath(), http.StatusFound)
				return true
			}
		}},
		{what: "other bytes", code: bundle.DigestMismatch, says: []string{"rke2-images-core"}, bad: func(_ *testing.T, v *vendor) {
			v.files[core] = bytes.ToUpper(v.files[core])
		}},
		{what: "a file cut short", code: bundle.DigestMismatch, says: []string{"rke2-images-core", "(1000 bytes)"}, bad: func(_ *testing.T, v *vendor) {
			v.files[core] = v.files[core][:1000]
		}},
		{what: "a checksum file without the file", code: file.ChecksumMissing, says: []string{"cannot check rke2-images-core.linux-amd64.tar.zst"}, when: "lock: ", bad: func(_ *testing.T, v *vendor) {
			v.files[sums] = bytes.ReplaceAll(v.files[sums], []byte("-core.linux-amd64.tar"), []byte("-kore.linux-amd64.tar"))
		}},
		{what: "no such file", code: fetch.NotFound, says: []string{"rke2-images-core"}, when: "lock: ", bad: func(_ *testing.T, v *vendor) {
			delete(v.files, core)
		}},
		{what: "no such release", code: file.ReleaseMissing, says: []string{"cannot find release " + tag, "the nearest that are there: v1.36.2+rke2r1, v1.36.4+rke2r1"}, when: "lock: ", bad: func(_ *testing.T, v *vendor) {
			clear(v.files)
			v.files[""] = []byte(`<a href="v1.36.2%2Brke2r1/">v1.36.2+rke2r1</a> <a href="v1.36.4%2Brke2r1/">x</a>`)
		}},
		{what: "no such release, and no list", code: file.ReleaseMissing, says: []string{"there is no list"}, when: "lock: ", bad: func(_ *testing.T, v *vendor) {
			clear(v.files)
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			v := &vendor{files: map[string][]byte{}}
			srv := httptest.NewTLSServer(v)
			t.Cleanup(srv.Close)
			choice := release.Choice{Version: version(t, tag), Arch: "amd64", CNI: []string{"canal"}, Ingress: []string{"traefik"}, URL: srv.URL + strings.TrimSuffix(root, "/")}
			publish(t, v.files, choice)
			c.bad(t, v)
			s := source(t, "")
			got, err := carry(t, s, choice)
			if c.code.Code == "" {
				if err != nil {
					t.Fatal(err)
				}
				same(t, s, choice, v.files, got)
				if strings.Contains(c.what, "cut") && v.heard("GET "+root+strings.Replace(core, "+", "%2B", 1)+" bytes=200000-") != 1 {
					t.Errorf("have %q, need the rest asked for after each cut", v.asked)
				}
				return
			}
			all := fault.All(err)
			if len(all) != 1 || all[0].Code != c.code.Code || strings.HasPrefix(err.Error(), "lock: ") != (c.when != "") {
				t.Fatalf("have %v, need one %s%s", err, c.when, c.code.Code)
			}
			for _, text := range c.says {
				if !strings.Contains(all[0].Error(), text) {
					t.Errorf("have %v, need %q in it", all[0], text)
				}
			}
		})
	}
}
