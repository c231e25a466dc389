package images

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"caisson.dev/caisson/internal/digest"
)

// laySuffix marks a file that is being written. Registries ignore the name, and
// the next Lay replaces it.
const laySuffix = ".caisson-new"

// Lay writes a View below root: a hard link to storeDir/<hex> for each Link, a
// small file for each Data. It is the doing side, on the node. Every entry
// appears whole or not at all, in the given order, and Lay may be repeated
// after a stop at any point; what is right already is left alone. Files that
// entries does not name are left alone too.
//
// Folders are 0755 and files readable by all, whatever the umask, because the
// registry runs as a user of its own. Everything is on disk when Lay returns.
func Lay(root, storeDir string, entries []ViewEntry) error {
	l := layer{root: root, store: storeDir, dirs: map[string]bool{}}
	if err := l.mkdir(root); err != nil {
		return layFault(root, err)
	}
	for _, e := range entries {
		if err := l.entry(e); err != nil {
			return err
		}
	}
	return l.sync()
}

type layer struct {
	root, store string
	dirs        map[string]bool // folders known to be there
}

func (l *layer) entry(e ViewEntry) error {
	if !fs.ValidPath(e.Path) || e.Path == "." || (e.Link != "") == (e.Data != nil) {
		return ErrLayFailed.New("cannot lay registry file %q: have link %q and %d bytes, need a clean relative path and exactly one of the two", e.Path, e.Link, len(e.Data))
	}
	path := filepath.Join(l.root, filepath.FromSlash(e.Path))
	if err := l.mkdir(filepath.Dir(path)); err != nil {
		return layFault(path, err)
	}
	if e.Data != nil {
		if err := l.write(path, e.Data); err != nil {
			return layFault(path, err)
		}
		return nil
	}
	return l.link(path, e.Link)
}

// link makes path a hard link to the blob.
func (l *layer) link(path, hex string) error {
	if _, err := digest.FromHex(hex); err != nil {
		return ErrLayFailed.New("cannot lay registry file %s: %w", path, err)
	}
	blob := filepath.Join(l.store, hex)
	info, err := os.Lstat(blob)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrBlobMissing.New("cannot lay registry file %s: have no blob %s, need it", path, blob).
			Hint("the bundle's image blobs were not copied to the node in full; install again from the medium")
	}
	if err != nil {
		return layFault(path, err)
	}
	if !info.Mode().IsRegular() {
		return ErrLayFailed.New("cannot lay registry file %s: %s is %v, need a regular file", path, blob, info.Mode().Type())
	}
	// The mode belongs to the blob's inode: all its names change at once.
	if info.Mode().Perm()&0o444 != 0o444 {
		if err := os.Chmod(blob, 0o444); err != nil {
			return layFault(blob, err)
		}
	}
	if old, err := os.Lstat(path); err == nil && os.SameFile(old, info) {
		return nil
	}
	tmp := path + laySuffix
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return layFault(path, err)
	}
	if err := os.Link(blob, tmp); err != nil {
		return layFault(path, err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return layFault(path, err)
	}
	return nil
}

// write makes path a file of its own with that content. It never writes into an
// existing file, which might be a hard link.
func (l *layer) write(path string, data []byte) error {
	if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && info.Size() == int64(len(data)) {
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
			return os.Chmod(path, 0o644)
		}
	}
	tmp := path + laySuffix
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// mkdir makes a folder and the folders above it that are missing.
func (l *layer) mkdir(dir string) error {
	if l.dirs[dir] {
		return nil
	}
	info, err := os.Lstat(dir)
	switch {
	case err == nil && !info.IsDir():
		return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
	case err == nil:
		l.dirs[dir] = true
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := l.mkdir(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	l.dirs[dir] = true
	return os.Chmod(dir, 0o755)
}

// sync brings the whole file system to disk once, which is far cheaper than a
// sync of each of thousands of small files. A power cut before it can leave
// names without their content; Lay compares content, so the next run mends it.
func (l *layer) sync() error {
	f, err := os.Open(l.root)
	if err != nil {
		return layFault(l.root, err)
	}
	defer f.Close()
	if err := unix.Syncfs(int(f.Fd())); err != nil {
		return layFault(l.root, err)
	}
	return nil
}

// layFault explains what the system said.
func layFault(path string, err error) error {
	f := ErrLayFailed.New("cannot lay registry file %s: %w", path, err)
	switch {
	case errors.Is(err, syscall.EXDEV):
		f.Hint("the image store and the registry's folder must lie on one file system, the node's state partition")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		f.Hint("the node's state partition has no room or no inodes left")
	case errors.Is(err, syscall.EMLINK):
		f.Hint("the file system allows no more names for one file; ext4 allows 65,000")
	}
	return f
}
