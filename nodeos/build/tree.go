package build

import (
	"archive/tar"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"caisson.dev/caisson/nodeos"
	"caisson.dev/caisson/spec"
)

// treeFS is Caisson's part of the OS, static files under their real paths.
//
//go:embed all:tree
var treeFS embed.FS

// entry is one thing of our own tree, owned by root.
type entry struct {
	path string // relative to the root, slashes
	dir  bool
	link string // target, for a symbolic link
	mode fs.FileMode
	data []byte
}

// emptyDirs are mount points and folders with nothing in them yet: a read-only
// image must hold every mount point.
func emptyDirs() []string {
	dirs := []string{"efi", "usr/lib/caisson", "usr/lib/caisson/trust.d", "usr/lib/sysimage", "usr/libexec/caisson"}
	for _, b := range nodeos.Binds() {
		dirs = append(dirs, strings.TrimPrefix(b.Path, "/"))
	}
	return dirs
}

// ownTree is our tree for an enclave, parents before children, sorted by path.
func ownTree(e spec.Enclave) ([]entry, error) {
	byPath := map[string]entry{}
	add := func(x entry) {
		for dir := path.Dir(x.path); dir != "."; dir = path.Dir(dir) {
			if _, ok := byPath[dir]; !ok {
				byPath[dir] = entry{path: dir, dir: true, mode: 0o755}
			}
		}
		byPath[x.path] = x
	}
	err := fs.WalkDir(treeFS, "tree", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := treeFS.ReadFile(p)
		mode := fs.FileMode(0o644)
		if path.Ext(p) == ".sh" { // embed keeps no modes
			mode = 0o755
		}
		add(entry{path: strings.TrimPrefix(p, "tree/"), mode: mode, data: b})
		return err
	})
	for _, d := range emptyDirs() {
		add(entry{path: d, dir: true, mode: 0o755})
	}
	for _, b := range nodeos.Binds() {
		add(entry{path: strings.TrimPrefix(b.Path, "/"), dir: true, mode: b.Mode})
	}
	add(entry{path: "usr/lib/sysusers.d/00-caisson.conf", mode: 0o644, data: []byte(sysusers())})
	add(entry{path: "etc/issue", mode: 0o644, data: []byte(issue(e.Classification.Label))})
	add(entry{path: "etc/issue.net", mode: 0o644, data: []byte(issue(e.Classification.Label))})
	out := make([]entry, 0, len(byPath))
	for _, x := range byPath {
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	return out, err
}

// issue is shown before a login (issue(5)): the classification banner, no word
// on what system this is.
func issue(label string) string {
	if label == "" {
		return "\n"
	}
	return fmt.Sprintf("*** %s ***\n\n", label)
}

// header is an entry as tar has it (POSIX.1-2001, pax).
func (x entry) header(epoch int64) *tar.Header {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: "./" + x.path, Mode: int64(x.mode.Perm()), Size: int64(len(x.data)),
		ModTime: time.Unix(epoch, 0), Format: tar.FormatPAX}
	switch {
	case x.dir:
		h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
	case x.link != "":
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, x.link, 0o777
	}
	return h
}

// writeTar writes the entries as a tar archive.
func writeTar(w io.Writer, entries []entry, epoch int64) error {
	t := tar.NewWriter(w)
	for _, x := range entries {
		if err := t.WriteHeader(x.header(epoch)); err != nil {
			return err
		}
		if _, err := t.Write(x.data); err != nil {
			return err
		}
	}
	return t.Close()
}
