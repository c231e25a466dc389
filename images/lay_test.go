package images_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/images/imagetest"
	"caisson.dev/caisson/internal/digest"
)

// laid is a store with one blob and a view of it.
func laid(t *testing.T) (root string, store imagetest.Dir, view []images.ViewEntry) {
	t.Helper()
	dir := t.TempDir()
	store = imagetest.Dir(filepath.Join(dir, "store"))
	if err := os.Mkdir(string(store), 0o755); err != nil {
		t.Fatal(err)
	}
	d, err := store.Put([]byte("blob"))
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "deep", "root"), store, []images.ViewEntry{
		{Path: "a/b/data", Link: d.Hex()}, {Path: "a/c/data", Link: d.Hex()}, {Path: "index.json", Data: []byte("{}")},
	}
}

// holds says that root is as the view says: links and content, nothing besides.
func holds(t *testing.T, root string, store imagetest.Dir, view []images.ViewEntry) {
	t.Helper()
	want := map[string]images.ViewEntry{}
	for _, e := range view {
		want[filepath.Join(root, e.Path)] = e
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() {
			if info.Mode().Perm() != 0o755 {
				t.Errorf("%s: have mode %v, want 0755", path, info.Mode())
			}
			return nil
		}
		e, ok := want[path]
		delete(want, path)
		if !ok {
			t.Errorf("%s is not in the view", path)
			return nil
		}
		if info.Mode().Perm()&0o444 != 0o444 {
			t.Errorf("%s: have mode %v, want it readable by all", path, info.Mode())
		}
		if e.Link != "" {
			blob, err := os.Stat(filepath.Join(string(store), e.Link))
			if err != nil || !os.SameFile(blob, info) {
				t.Errorf("%s is not a hard link to %s (%v)", path, e.Link, err)
			}
		} else if raw, err := os.ReadFile(path); err != nil || string(raw) != string(e.Data) {
			t.Errorf("%s: have %q (%v), want %q", path, raw, err, e.Data)
		}
		return nil
	})
	if err != nil || len(want) > 0 {
		t.Errorf("missing: %v (%v)", want, err)
	}
}

func TestLay(t *testing.T) {
	for _, c := range []struct {
		summary string
		before  func(t *testing.T, root string, store imagetest.Dir, view []images.ViewEntry)
	}{
		{"nothing was there", func(*testing.T, string, imagetest.Dir, []images.ViewEntry) {}},
		{"all was there", func(t *testing.T, root string, store imagetest.Dir, view []images.ViewEntry) {
			must(t, images.Lay(root, string(store), view))
		}},
		{"stopped half way, between link and name", func(t *testing.T, root string, store imagetest.Dir, view []images.ViewEntry) {
			must(t, images.Lay(root, string(store), view[:1]))
			must(t, os.MkdirAll(filepath.Join(root, "a/c"), 0o755))
			must(t, os.Link(store.Path(digest.Of([]byte("blob"))), filepath.Join(root, "a/c/data.caisson-new")))
			must(t, os.WriteFile(filepath.Join(root, "index.json.caisson-new"), []byte("{"), 0o600))
		}},
		{"power lost: names without content", func(t *testing.T, root string, store imagetest.Dir, view []images.ViewEntry) {
			must(t, images.Lay(root, string(store), view))
			must(t, os.WriteFile(filepath.Join(root, "index.json"), nil, 0o644))
			must(t, os.Remove(filepath.Join(root, "a/b/data")))
			must(t, os.WriteFile(filepath.Join(root, "a/b/data"), []byte("copy"), 0o644))
		}},
		{"the store is readable by root only", func(t *testing.T, _ string, store imagetest.Dir, _ []images.ViewEntry) {
			must(t, os.Chmod(store.Path(digest.Of([]byte("blob"))), 0o600))
		}},
		{"a strict umask", func(t *testing.T, _ string, _ imagetest.Dir, _ []images.ViewEntry) {
			old := syscall.Umask(0o077)
			t.Cleanup(func() { syscall.Umask(old) })
		}},
	} {
		t.Run(c.summary, func(t *testing.T) {
			root, store, view := laid(t)
			c.before(t, root, store, view)
			must(t, images.Lay(root, string(store), view))
			holds(t, root, store, view)
		})
	}
}

// TestLayNeverWritesThroughALink: a small file that takes a hard link's place
// must leave the blob alone.
func TestLayNeverWritesThroughALink(t *testing.T) {
	root, store, view := laid(t)
	must(t, images.Lay(root, string(store), []images.ViewEntry{{Path: "index.json", Link: view[0].Link}}))
	must(t, images.Lay(root, string(store), view))
	holds(t, root, store, view)
	if raw, err := os.ReadFile(store.Path(digest.Of([]byte("blob")))); err != nil || string(raw) != "blob" {
		t.Errorf("have blob %q (%v), want it untouched", raw, err)
	}
}

func TestLayRefuses(t *testing.T) {
	root, store, view := laid(t)
	hex := view[0].Link
	must(t, os.Symlink("/etc/passwd", filepath.Join(string(store), strings.Repeat("a", 64))))
	for _, c := range []struct {
		summary string
		entry   images.ViewEntry
		missing bool
	}{
		{"a path that climbs", images.ViewEntry{Path: "../x", Link: hex}, false},
		{"an absolute path", images.ViewEntry{Path: "/x", Link: hex}, false},
		{"the root itself", images.ViewEntry{Path: ".", Link: hex}, false},
		{"neither link nor content", images.ViewEntry{Path: "x"}, false},
		{"both", images.ViewEntry{Path: "x", Link: hex, Data: []byte("x")}, false},
		{"a link that is no digest", images.ViewEntry{Path: "x", Link: "../../etc/passwd"}, false},
		{"a blob that is a symbolic link", images.ViewEntry{Path: "x", Link: strings.Repeat("a", 64)}, false},
		{"a blob that is not there", images.ViewEntry{Path: "x", Link: strings.Repeat("0", 64)}, true},
		{"a folder's place is taken", images.ViewEntry{Path: "index.json/x", Link: hex}, false},
	} {
		t.Run(c.summary, func(t *testing.T) {
			must(t, images.Lay(root, string(store), view))
			err := images.Lay(root, string(store), []images.ViewEntry{c.entry})
			want := images.ErrLayFailed
			if c.missing {
				want = images.ErrBlobMissing
			}
			if !want.Is(err) {
				t.Errorf("have %v, want %s", err, want.Code)
			}
			holds(t, root, store, view)
		})
	}
}

// TestLayAcrossFileSystems needs a second file system; /dev/shm is one on Linux.
func TestLayAcrossFileSystems(t *testing.T) {
	other, err := os.MkdirTemp("/dev/shm", "lay")
	if err != nil {
		t.Skip("/dev/shm cannot be written")
	}
	t.Cleanup(func() { os.RemoveAll(other) })
	_, store, view := laid(t)
	err = images.Lay(filepath.Join(other, "root"), string(store), view)
	if err == nil {
		t.Skip("/dev/shm is on the file system of the temporary folder")
	}
	if !images.ErrLayFailed.Is(err) || !errors.Is(err, syscall.EXDEV) || !strings.Contains(err.Error(), "one file system") {
		t.Errorf("have %v, want REGISTRY-LAY-FAILED with the hint", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
