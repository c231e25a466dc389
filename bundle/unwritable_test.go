package bundle

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"caisson.dev/caisson/internal/fault"
)

// TestUnwritable: what cannot be written is told by its code, with its path.
func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	open := func(dir string) error {
		_, err := OpenStore(dir)
		return err
	}
	for _, c := range []struct {
		name, code, text string
		err              error
		cause            error
	}{
		{"a lock in no folder", "FILE-UNWRITABLE", "cannot write " + dir + "/none/caisson.lock: ", WriteLock(dir+"/none/caisson.lock", Lock{}), fs.ErrNotExist},
		{"a lock below a file", "FILE-UNWRITABLE", "cannot write " + file + "/caisson.lock: ", WriteLock(file+"/caisson.lock", Lock{}), syscall.ENOTDIR},
		{"a store below a file", "FILE-UNWRITABLE", "cannot write " + file + "/cache: ", open(file + "/cache"), syscall.ENOTDIR},
		{"a read-only disk", "FILE-UNWRITABLE", "read-only file system", unwritable(file, &fs.PathError{Op: "open", Path: file, Err: syscall.EROFS}, 0), syscall.EROFS},
		{"a full disk", "DISK-FULL", "cannot write to " + dir + ": have ", unwritable(file, &fs.PathError{Op: "write", Path: file, Err: syscall.ENOSPC}, 2<<20), nil},
		{"a full disk, how much", "DISK-FULL", "free, need more than 2.0 MiB", unwritable(file, syscall.ENOSPC, 2<<20), nil},
		{"a quota", "DISK-FULL", "need more", unwritable(file, syscall.EDQUOT, 0), nil},
	} {
		var f *fault.Fault
		if !errors.As(c.err, &f) || f.Code != c.code || !strings.Contains(f.What, c.text) || len(f.Hints) == 0 || c.cause != nil && !errors.Is(c.err, c.cause) {
			t.Errorf("%s: have %v, want %s, %q and a hint", c.name, c.err, c.code, c.text)
		}
	}
}
