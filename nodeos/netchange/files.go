package netchange

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"caisson.dev/caisson/internal/newfile"
	"caisson.dev/caisson/profiles"
)

func (n Node) put(c Change, path string) error {
	raw, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return n.set(path, 0o600, append(raw, '\n'))
}

// write puts the files into place, each of them whole: the new ones, or the old.
func (n Node) write(files []profiles.FileChange, old bool) error {
	for _, f := range files {
		data := f.New
		if old {
			data = f.Old
		}
		var err error
		if data != nil {
			err = n.set(f.Path, fs.FileMode(f.Mode), data)
		} else if err = os.Remove(n.path(f.Path)); errors.Is(err, fs.ErrNotExist) {
			err = nil
		} else if err == nil {
			err = syncDir(filepath.Dir(n.path(f.Path)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (n Node) set(path string, mode fs.FileMode, data []byte) error {
	full := n.path(path)
	err := newfile.Write(full, func(f *os.File) error {
		if err := f.Chmod(mode); err != nil {
			return err
		}
		if _, err := f.Write(data); err != nil {
			return err
		}
		return f.Sync()
	})
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(full))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func (n Node) path(p string) string { return filepath.Join(n.Root, p) }

func (n Node) boot() string {
	raw, _ := os.ReadFile(n.path("/proc/sys/kernel/random/boot_id")) // every Linux has it
	return strings.TrimSpace(string(raw))
}

// lock keeps the timer, the boot and the console from acting at once.
func (n Node) lock() (unlock func(), err error) {
	if err := os.MkdirAll(n.path(Dir), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(n.path(Dir+"/lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil
}
