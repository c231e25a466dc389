// Package newfile writes a file that appears complete or not at all, and tells
// beforehand whether it could. Until it is complete the file has no name where
// the file system allows that (O_TMPFILE, open(2)), so that a killed program
// leaves nothing behind. It does not ask whether a file is there already: that
// is the command line's to decide. It is a leaf.
package newfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Check refuses a path at which Write could put no file: a folder or device is
// there, or its folder (or the nearest one above that exists) takes no files.
// It tries, because rights alone do not tell (read-only file systems, quotas).
func Check(path string) error {
	if err := regular(path); err != nil {
		return err
	}
	dir := filepath.Dir(path)
	for {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	f, unnamed, err := create(filepath.Join(dir, "check"))
	if err != nil {
		return unwritable(path, err)
	}
	f.Close()
	if !unnamed {
		_ = os.Remove(f.Name())
	}
	return nil
}

// Write makes the folders that are missing and gives fill an empty file, which
// gets its name when fill has returned without an error and its bytes are on
// disk. A file that was there is replaced at that moment. An error of fill comes
// back as it is.
func Write(path string, fill func(*os.File) error) error {
	if err := regular(path); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return unwritable(path, err)
	}
	f, unnamed, err := create(path)
	if err != nil {
		return unwritable(path, err)
	}
	defer f.Close()
	name := ""
	if !unnamed {
		name = f.Name()
	}
	if err = fill(f); err == nil {
		if err = settle(f, &name, path); err != nil {
			err = unwritable(path, err)
		}
	}
	if err != nil && name != "" {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

// settle brings the bytes to disk and gives the file its name. A file without a
// name gets a temporary one first: linkat(2) replaces nothing, rename(2) does.
func settle(f *os.File, name *string, path string) error {
	if err := errors.Join(f.Chmod(0o644), f.Sync()); err != nil {
		return err
	}
	if *name == "" {
		linked := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d", filepath.Base(path), os.Getpid()))
		if err := unix.Linkat(unix.AT_FDCWD, self(f), unix.AT_FDCWD, linked, unix.AT_SYMLINK_FOLLOW); err != nil {
			return &os.LinkError{Op: "linkat", Old: self(f), New: linked, Err: err}
		}
		*name = linked
	}
	return os.Rename(*name, path)
}

// create makes a file in the folder of path, without a name if that is possible
// and the name can be given later.
func create(path string) (f *os.File, unnamed bool, err error) {
	dir := filepath.Dir(path)
	if f, err := os.OpenFile(dir, unix.O_TMPFILE|os.O_RDWR, 0o600); err == nil {
		if _, err := os.Stat(self(f)); err == nil {
			return f, true, nil
		}
		f.Close()
	}
	f, err = os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	return f, false, err
}

// self is the file's path in /proc, by which linkat(2) finds it.
func self(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

func regular(path string) error {
	st, err := os.Stat(path)
	switch {
	case err != nil || st.Mode().IsRegular():
		return nil
	case st.IsDir():
		return Unwritable.New("cannot write %s: have a folder there, need the name of a file", path).Hint("name a file in it: %s", filepath.Join(path, "NAME"))
	}
	return Unwritable.New("cannot write %s: have a device or special file there, need the name of a file", path).
		Hint("write it to a file first, verify it, then copy it to the device with dd")
}

func unwritable(path string, err error) error {
	return Unwritable.New("cannot write %s: have no way to put a file there, need a folder that takes one: %w", path, err).
		Hint("choose another name with -o, or see to the folder's rights and its file system")
}
