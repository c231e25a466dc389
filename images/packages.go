package images

import (
	"archive/tar"
	"io"
	"slices"
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/deb"
	"caisson.dev/caisson/internal/digest"
)

// dropped are folders of a package that no program reads while it runs.
var dropped = []string{
	"usr/share/doc", "usr/share/man", "usr/share/locale",
	"usr/share/info", "usr/share/lintian", "usr/share/bug",
}

// unpack adds the files of Debian packages to the tree. Maintainer scripts do
// not run, so nothing that they make is there (alternatives, users, caches);
// the loader finds Debian's library folders without a cache. Owners are root
// and set-user-id bits are gone: an image needs neither.
func (t *tree) unpack(store *bundle.Store, packages []digest.Digest) error {
	for _, d := range packages {
		if err := t.unpackOne(store, d); err != nil {
			return err
		}
	}
	for _, a := range aliases {
		if err := t.put("usr/"+a, node{kind: tar.TypeDir, mode: 0o755}); err != nil {
			return err
		}
		if err := t.put(a, node{kind: tar.TypeSymlink, mode: 0o777, target: "usr/" + a}); err != nil {
			return err
		}
	}
	return nil
}

func (t *tree) unpackOne(store *bundle.Store, d digest.Digest) error {
	f, err := store.Open(d)
	if err != nil {
		return err
	}
	defer f.Close()
	return deb.Walk(f, func(hdr *tar.Header, r io.Reader) error {
		name := unaliased(hdr.Name)
		if slices.ContainsFunc(dropped, func(dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }) {
			return nil
		}
		if whiteout(name) {
			return ErrPackageRefused.New("cannot assemble image %s: package %s has the file /%s, which means \"delete\" in a layer", t.image, d, name)
		}
		n := node{kind: hdr.Typeflag, mode: hdr.Mode & 0o777}
		switch hdr.Typeflag {
		case tar.TypeDir:
			n.mode = hdr.Mode & 0o1777
			if slices.Contains(aliases, name) {
				name = "usr/" + name
			}
		case tar.TypeSymlink:
			if slices.Contains(aliases, name) {
				return nil // base-files brings the same links
			}
			n.mode, n.target = 0o777, hdr.Linkname
		case tar.TypeLink:
			return t.hardLink(name, unaliased(hdr.Linkname))
		case tar.TypeReg:
			if n, err = t.spooled(n, r); err != nil {
				return err
			}
		}
		return t.put(name, n)
	})
}

// spooled keeps the file's bytes until the layer is written in sorted order.
func (t *tree) spooled(n node, r io.Reader) (node, error) {
	at, err := t.spool.Seek(0, io.SeekCurrent)
	if err != nil {
		return n, err
	}
	if n.size, err = io.Copy(t.spool, r); err != nil {
		return n, err
	}
	size := n.size
	n.open = func() (io.ReadCloser, error) { return io.NopCloser(io.NewSectionReader(t.spool, at, size)), nil }
	return n, nil
}

// hardLink gives a file of the tree a second name.
func (t *tree) hardLink(name, target string) error {
	n, ok := t.nodes[target]
	if !ok || n.kind != tar.TypeReg {
		return ErrPackageRefused.New("cannot assemble image %s: /%s is a hard link to /%s, which is not a file before it", t.image, name, target)
	}
	if n.target == "" {
		n.target = target
	}
	return t.put(name, n)
}

// put adds a path. Folders may come from several packages (the first one's mode
// holds), and so may equal symbolic links; two files at one path are refused,
// as dpkg does.
func (t *tree) put(name string, n node) error {
	old, ok := t.nodes[name]
	switch {
	case !ok:
		t.nodes[name] = n
	case old.kind == tar.TypeDir && n.kind == tar.TypeDir:
	case old.kind == tar.TypeSymlink && n.kind == tar.TypeSymlink && old.target == n.target:
	default:
		return ErrPackageRefused.New("cannot assemble image %s: two packages have a file at /%s, need one", t.image, name).
			Hint("leave one of the two packages out of the image")
	}
	return nil
}

// unaliased is the path under /usr for paths in the folders that Debian merged.
func unaliased(name string) string {
	dir, rest, below := strings.Cut(name, "/")
	if below && slices.Contains(aliases, dir) {
		return "usr/" + dir + "/" + rest
	}
	return name
}
