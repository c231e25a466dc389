package zot_test

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/images/imagetest"
	"caisson.dev/caisson/images/zot"
)

const refName = "org.opencontainers.image.ref.name"

// indexes is every repository's index.json, by repository.
func indexes(t *testing.T, view []images.ViewEntry) map[string]v1.IndexManifest {
	t.Helper()
	out := map[string]v1.IndexManifest{}
	for _, e := range view {
		if path.Base(e.Path) != "index.json" {
			continue
		}
		if e.Link != "" {
			t.Errorf("%s is a hard link; zot rewrites it in place", e.Path)
		}
		var m v1.IndexManifest
		if err := json.Unmarshal(e.Data, &m); err != nil {
			t.Fatal(err)
		}
		out[path.Dir(e.Path)] = m
	}
	return out
}

// TestEveryManifestIsListed: zot answers 404 for a child of an index, or a
// referrer, that is a blob but not in index.json.
func TestEveryManifestIsListed(t *testing.T) {
	store, entries, view := fill(t)
	all := indexes(t, view)
	for _, e := range entries {
		n, err := images.ParseRef(e.Ref)
		if err != nil {
			t.Fatal(err)
		}
		blobs, err := images.Closure(store, e)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blobs {
			if b.Served() && !lists(all[n.Repository()], string(b.Digest), "") {
				t.Errorf("%s: index.json does not list %s %s", e.Ref, b.Kind, b.Digest)
			}
		}
		if n.Tag != "" && !lists(all[n.Repository()], string(e.Digest), n.Tag) {
			t.Errorf("%s: index.json does not tag %s", e.Ref, e.Digest)
		}
	}
}

func lists(m v1.IndexManifest, digest, tag string) bool {
	for _, d := range m.Manifests {
		if d.Digest.String() == digest && (tag == "" || d.Annotations[refName] == tag) {
			return true
		}
	}
	return false
}

// TestTagsAreBare: a full reference as ref.name becomes a tag that nobody can
// pull and that breaks a sync.
func TestTagsAreBare(t *testing.T) {
	_, _, view := fill(t)
	tag := regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`) // OCI distribution-spec, "Pulling manifests"
	for repo, m := range indexes(t, view) {
		seen := map[string]bool{}
		for _, d := range m.Manifests {
			name, ok := d.Annotations[refName]
			if ok && !tag.MatchString(name) {
				t.Errorf("%s: have tag %q", repo, name)
			}
			if ok && seen[name] {
				t.Errorf("%s: tag %s is there twice", repo, name)
			}
			seen[name] = true
		}
	}
}

// TestPathsAreServed: zot ignores folders in capitals or with a colon, and does
// not catalogue a repository without oci-layout; the root is no layout itself.
func TestPathsAreServed(t *testing.T) {
	_, _, view := fill(t)
	have := map[string]bool{}
	for _, e := range view {
		have[e.Path] = true
		if dir := path.Dir(e.Path); dir != strings.ToLower(dir) || strings.Contains(dir, ":") {
			t.Errorf("zot ignores %s", e.Path)
		}
	}
	for repo := range indexes(t, view) {
		if !have[repo+"/oci-layout"] {
			t.Errorf("%s has no oci-layout", repo)
		}
	}
	if have["index.json"] || have["oci-layout"] {
		t.Error("the root is a layout")
	}
}

// TestNoWalkAtBoot: the marker must be there before the first start.
func TestNoWalkAtBoot(t *testing.T) {
	_, _, view := fill(t)
	if view[0].Path != "_restore_complete" || string(view[0].Data) != "1" {
		t.Errorf("have %+v first, want _restore_complete with 1", view[0])
	}
}

func TestReservedNames(t *testing.T) {
	store, entries, _ := fill(t)
	for _, ref := range []string{"docker.io/a/blobs/b:1", "docker.io/a/index.json:1", "quay.io/oci-layout:1"} {
		e := entries[0]
		e.Ref = ref
		if _, err := (zot.Engine{}).View(store, []bundle.ImageEntry{e}); !images.ErrNameReserved.Is(err) {
			t.Errorf("%s: have %v, want IMAGE-NAME-RESERVED", ref, err)
		}
	}
}

// TestLayoutsAreValid has go-containerregistry read each repository as the
// image layout that it is, and lays it twice as an interrupted install would.
func TestLayoutsAreValid(t *testing.T) {
	store, entries, view := fill(t)
	root := filepath.Join(t.TempDir(), "registry")
	for range 2 {
		if err := images.Lay(root, string(store), view); err != nil {
			t.Fatal(err)
		}
	}
	for repo := range indexes(t, view) {
		idx, err := layout.ImageIndexFromPath(filepath.Join(root, repo))
		if err != nil {
			t.Fatal(err)
		}
		m, err := idx.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range m.Manifests {
			if !d.MediaType.IsImage() {
				continue // an index is judged through its listed children
			}
			img, err := idx.Image(d.Digest)
			if err != nil {
				t.Fatal(err)
			}
			if err := validate.Image(img); err != nil && !strings.Contains(d.Annotations[refName], ".sig") && !artifact(t, img) {
				t.Errorf("%s@%s: %v", repo, d.Digest, err)
			}
		}
	}
	for _, e := range entries {
		info, err := os.Stat(store.Path(e.Digest))
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := info.Sys().(*syscall.Stat_t); ok && s.Nlink < 2 {
			t.Errorf("%s: the manifest is not a hard link", e.Ref)
		}
	}
}

// artifact reports whether the image holds something else than a file system.
func artifact(t *testing.T, img v1.Image) bool {
	t.Helper()
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	return !m.Config.MediaType.IsConfig()
}

// TestManyImages holds the share of small files down with many small images.
func TestManyImages(t *testing.T) {
	store, entries, _ := fill(t)
	var many []bundle.ImageEntry
	for _, host := range []string{"a.example", "b.example", "c.example:5000"} {
		for _, e := range entries {
			n, err := images.ParseRef(e.Ref)
			if err != nil {
				t.Fatal(err)
			}
			n.Host = host
			e.Ref = n.String()
			many = append(many, e)
		}
	}
	view, err := zot.Engine{}.View(store, many)
	if err != nil {
		t.Fatal(err)
	}
	imagetest.LinksOnly(t, store, view, many)
}
