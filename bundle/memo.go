package bundle

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/size"
)

// memo is what the Store remembers of finished work. The key is kept whole, so
// that a memo answers for itself.
type memo struct {
	Key       string     `json:"key"`
	Artifacts []Artifact `json:"artifacts"`
}

func (s *Store) memoPath(key string) string {
	return filepath.Join(s.dir, "memo", digest.Of([]byte(key)).Hex()+".json")
}

// Memo recalls what SetMemo kept for key. It answers only while every blob is
// still there with the right size; anything else means: do the work again.
func (s *Store) Memo(key string) ([]Artifact, bool) {
	raw, err := os.ReadFile(s.memoPath(key))
	if err != nil {
		return nil, false
	}
	var m memo
	if canon.Decode(raw, &m) != nil || m.Key != key {
		return nil, false
	}
	for _, a := range m.Artifacts {
		if n, err := s.Size(a.Digest); err != nil || n != a.Size {
			return nil, false
		}
	}
	return m.Artifacts, true
}

// SetMemo remembers that the work named key made these artifacts. The key must
// name everything that the work depends on.
func (s *Store) SetMemo(key string, artifacts []Artifact) error {
	raw, err := json.Marshal(memo{Key: key, Artifacts: artifacts})
	if err != nil {
		return err
	}
	return s.DiskFault(writeFileAtomic(s.memoPath(key), raw), int64(len(raw)))
}

// Lock takes the lock named key, across processes, and waits for it until ctx
// ends. The lock ends with the process; call unlock when the work is done.
func (s *Store) Lock(ctx context.Context, key string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(s.dir, "locks", digest.Of([]byte(key)).Hex()), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, s.DiskFault(err, 0)
	}
	got := make(chan error, 1)
	go func() { got <- flock(f) }()
	select {
	case err := <-got:
		if err != nil {
			_ = f.Close()
			return nil, err
		}
		return func() { _ = f.Close() }, nil
	case <-ctx.Done():
		// flock cannot be called off: whoever waits lets go at once.
		go func() { <-got; _ = f.Close() }()
		return nil, ctx.Err()
	}
}

func flock(f *os.File) error {
	for {
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != unix.EINTR {
			return err
		}
	}
}

// Check hashes every blob again and reports all that differ from their name.
func (s *Store) Check(ctx context.Context, progress Progress) error {
	dir := filepath.Join(s.dir, "blobs", "sha256")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var faults []error
	for i, e := range entries {
		path := filepath.Join(dir, e.Name())
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		d, _, err := copyHashed(ctx, nil, f)
		_ = f.Close()
		if err != nil {
			return err
		}
		if d.Hex() != e.Name() {
			faults = append(faults, StoreDamaged.New("cannot use blob %s: have %s, need sha256:%s", path, d, e.Name()).
				Hint("delete that file; the next run brings it again"))
		}
		if progress != nil {
			progress("store", int64(i+1), int64(len(entries)))
		}
	}
	return errors.Join(faults...)
}

// DiskFault turns "no space left on device" into a fault that says how much is missing;
// other errors stay as they are. need is in bytes, 0 when not known.
func (s *Store) DiskFault(err error, need int64) error {
	if !noSpace(err) {
		return err
	}
	return Full(s.dir, need).Hint("free space there, or name a store on a larger disk")
}

func noSpace(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

// Full is the fault of a disk without room for what goes into the folder dir;
// need is in bytes, 0 when not known.
func Full(dir string, need int64) *fault.Fault {
	have := "an unknown amount free"
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) == nil {
		have = size.Bytes(st.Bavail*uint64(st.Bsize)).String() + " free"
	}
	text := "more"
	if need > 0 {
		text = "more than " + size.Bytes(need).String()
	}
	return DiskFull.New("cannot write to %s: have %s, need %s", dir, have, text)
}

// unwritable is the fault of a file or folder at path that could not be written.
func unwritable(path string, err error, need int64) *fault.Fault {
	if noSpace(err) {
		return Full(filepath.Dir(path), need).Hint("free space there")
	}
	return Unwritable.New("cannot write %s: %w", path, err).
		Hint("choose a folder that exists and that this user may write to, on a disk that is not read-only")
}

// writeFileAtomic puts data at path whole or not at all, and on disk.
func writeFileAtomic(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+strings.TrimPrefix(filepath.Base(path), ".")+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
