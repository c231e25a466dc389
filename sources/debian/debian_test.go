package debian_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/fetch"
	"caisson.dev/caisson/sources/debian"
)

var packages = []pkg{
	{name: "base-files", version: "13", fields: "Essential: yes\nPriority: required\n", files: map[string]string{"etc/debian_version": "13\n"}},
	{name: "tar", version: "1.35", fields: "Priority: required\nPre-Depends: libc6\n", files: map[string]string{"usr/bin/tar": "tar"}},
	{name: "libc6", version: "2.41", files: map[string]string{"usr/lib/libc.so.6": "libc"}},
	{name: "nftables", version: "1:1.1.3", fields: "Depends: libc6 (>= 2.40), wall-b | firewall\nRecommends: extra\n",
		files: map[string]string{"sbin/nft": "nft program"}, links: map[string]string{"usr/bin/nft-link": "nft"}},
	{name: "wall-a", version: "1", fields: "Provides: firewall\n"},
	{name: "wall-b", version: "1", fields: "Provides: firewall\n"},
	{name: "extra", version: "1"},
	{name: "lonely", version: "1", fields: "Depends: nowhere\n"},
}

func source(t *testing.T, a archive) *debian.Source {
	t.Helper()
	s, err := bundle.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &debian.Source{Store: s, Fetch: fetch.Default(), Keyring: a.keyring}
}

func want(a archive, change func(*bundle.DebianWant)) bundle.Want {
	d := bundle.DebianWant{Mirror: a.url, Suite: "trixie", Components: []string{"main"}, Arch: "amd64", Packages: []string{"nftables"}}
	change(&d)
	return bundle.Want{Name: "nft", Debian: &d}
}

// TestSource asks one archive everything: making it takes longer than asking.
func TestSource(t *testing.T) {
	a := newArchive(t, packages...)
	for name, test := range map[string]func(*testing.T, archive){"resolve": testResolve, "collect": testCollect, "extract": testExtract} {
		t.Run(name, func(t *testing.T) { test(t, a) })
	}
	t.Run("a version that is gone", func(t *testing.T) { testVersionGone(t, a) })
}

func testResolve(t *testing.T, a archive) {
	s := source(t, a)
	tests := []struct {
		summary string
		change  func(*bundle.DebianWant)
		have    string
		code    *fault.Kind
	}{
		{"a package and what it needs", func(*bundle.DebianWant) {}, "libc6=2.41 nftables=1:1.1.3 wall-b=1", nil},
		{"the order decides what fills a need", func(d *bundle.DebianWant) { d.Packages = []string{"wall-a", "nftables"} }, "libc6=2.41 nftables=1:1.1.3 wall-a=1", nil},
		{"nothing but itself", func(d *bundle.DebianWant) { d.NoDeps = true }, "nftables=1:1.1.3", nil},
		{"a system's base", func(d *bundle.DebianWant) { d.Base, d.Packages = true, nil }, "base-files=13 libc6=2.41 tar=1.35", nil},
		{"a version", func(d *bundle.DebianWant) { d.Packages = []string{"libc6=2.41"} }, "libc6=2.41", nil},
		{"a package that is not there", func(d *bundle.DebianWant) { d.Packages = []string{"nosuch"} }, "", &debian.Unresolved},
		{"a need that nothing fills", func(d *bundle.DebianWant) { d.Packages = []string{"lonely"} }, "", &debian.Unresolved},
		{"an option as package", func(d *bundle.DebianWant) { d.Packages = []string{"--version"} }, "", &debian.BadWant},
		{"an option in the mirror", func(d *bundle.DebianWant) { d.Mirror = "http://h/ [trusted=yes]" }, "", &debian.BadWant},
		{"a folder as mirror", func(d *bundle.DebianWant) { d.Mirror = "file:/srv" }, "", &debian.BadWant},
		{"no component", func(d *bundle.DebianWant) { d.Components = nil }, "", &debian.BadWant},
		{"a suite that is not there", func(d *bundle.DebianWant) { d.Suite = "sarge" }, "", &debian.ArchiveFailed},
	}
	for _, tt := range tests {
		t.Run(tt.summary, func(t *testing.T) {
			pin, err := s.Resolve(t.Context(), want(a, tt.change))
			if tt.code != nil {
				if !tt.code.Is(err) {
					t.Errorf("have %v, need %s", err, tt.code.Code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var have []string
			for _, d := range pin.Debs {
				have = append(have, d.Package+"="+d.Version)
				file := filepath.Join(a.dir, strings.TrimPrefix(d.URL, a.url))
				if sum, n, err := digest.File(file); err != nil || sum != d.Digest || n != d.Size {
					t.Errorf("have %v, need %s of %d bytes (%v)", d, sum, n, err)
				}
			}
			if diff := cmp.Diff(tt.have, strings.Join(have, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUntrustedArchives(t *testing.T) {
	a, other := newArchive(t, packages[1:4]...), newArchive(t, packages[2])
	t.Run("another key", func(t *testing.T) {
		s := source(t, a)
		s.Keyring = other.keyring
		if _, err := s.Resolve(t.Context(), want(a, func(*bundle.DebianWant) {})); !debian.Untrusted.Is(err) {
			t.Errorf("have %v, need DEBIAN-UNTRUSTED", err)
		}
	})
	t.Run("no key", func(t *testing.T) {
		s := source(t, a)
		s.Keyring = "/nowhere"
		if _, err := s.Resolve(t.Context(), want(a, func(*bundle.DebianWant) {})); !debian.KeyringMissing.Is(err) {
			t.Errorf("have %v, need DEBIAN-KEYRING-MISSING", err)
		}
	})
	t.Run("a list changed after it was signed", func(t *testing.T) {
		list := filepath.Join(a.dir, "dists/trixie/main/binary-amd64/Packages")
		raw, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		put(t, list, strings.Replace(string(raw), "Package: tar", "Package: rat", 1))
		if _, err := source(t, a).Resolve(t.Context(), want(a, func(*bundle.DebianWant) {})); !debian.Untrusted.Is(err) {
			t.Errorf("have %v, need DEBIAN-UNTRUSTED", err)
		}
	})
	t.Run("no signature", func(t *testing.T) {
		if err := os.Remove(filepath.Join(other.dir, "dists/trixie/InRelease")); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(other.dir, "Release"))
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(other.dir, "dists/trixie/Release"), string(raw))
		if _, err := source(t, other).Resolve(t.Context(), want(other, func(*bundle.DebianWant) {})); !debian.Untrusted.Is(err) {
			t.Errorf("have %v, need DEBIAN-UNTRUSTED", err)
		}
	})
}

func testCollect(t *testing.T, a archive) {
	s := source(t, a)
	pin, err := s.Resolve(t.Context(), want(a, func(*bundle.DebianWant) {}))
	if err != nil {
		t.Fatal(err)
	}
	var last, total int64
	got, err := s.Collect(t.Context(), pin, s.Store, func(_ string, d, n int64) { last, total = max(last, d), n })
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, g := range got {
		lines = append(lines, g.Name+" "+g.Source)
	}
	if diff := cmp.Diff([]string{"nft/libc6 pkg:deb/debian/libc6@2.41?arch=amd64", "nft/nftables pkg:deb/debian/nftables@1%3A1.1.3?arch=amd64",
		"nft/wall-b pkg:deb/debian/wall-b@1?arch=amd64"}, lines); diff != "" {
		t.Error(diff)
	}
	if last != total || total == 0 {
		t.Errorf("have progress %d of %d at the end", last, total)
	}
}

func testExtract(t *testing.T, a archive) {
	s := source(t, a)
	with := func(files map[string]string) bundle.Want {
		return want(a, func(d *bundle.DebianWant) { d.Extract = files })
	}
	pin, err := s.Resolve(t.Context(), with(map[string]string{"nft": "/usr/sbin/nft", "libc": "/lib/libc.so.6"}))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time from memory
		got, err := s.Collect(t.Context(), pin, s.Store, nil)
		if err != nil || len(got) != 2 {
			t.Fatalf("have %v: %v", got, err)
		}
		have := fmt.Sprint(got[0].Name, " ", got[1].Name, " ", got[1].Mode, " ", got[1].Source)
		if diff := cmp.Diff("nft/libc nft/nft -rwxr-xr-x pkg:deb/debian/nftables@1%3A1.1.3?arch=amd64", have); diff != "" {
			t.Error(diff)
		}
		if got[1].Digest != digest.Of([]byte("nft program")) {
			t.Errorf("have other bytes: %s", got[1].Digest)
		}
	}
	pin.Want = with(map[string]string{"x": "/usr/bin/nothing"})
	if _, err := s.Collect(t.Context(), pin, s.Store, nil); !debian.FileMissing.Is(err) {
		t.Errorf("a file that is not there: have %v", err)
	}
	pin.Want = with(map[string]string{"x": "/usr/bin/nft-link"})
	if _, err := s.Collect(t.Context(), pin, s.Store, nil); !debian.FileMissing.Is(err) || !strings.Contains(err.Error(), "link to nft") {
		t.Errorf("a link: have %v", err)
	}
}

// A mirror drops a version when the next one comes.
func testVersionGone(t *testing.T, a archive) {
	s := source(t, a)
	pin, err := s.Resolve(t.Context(), want(a, func(*bundle.DebianWant) {}))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(a.dir, "pool/libc6_2.41_amd64.deb")); err != nil {
		t.Fatal(err)
	}
	_, err = s.Collect(t.Context(), pin, s.Store, nil)
	if !debian.VersionGone.Is(err) || !strings.Contains(err.Error(), "libc6 2.41") || !strings.Contains(err.Error(), "caisson lock --update") {
		t.Errorf("have %v, need DEBIAN-VERSION-GONE that names package, version and remedy", err)
	}
	put(t, filepath.Join(a.dir, "pool/libc6_2.41_amd64.deb"), "something else")
	if _, err := s.Collect(t.Context(), pin, s.Store, nil); err == nil {
		t.Error("have another file taken for the package")
	}
}
