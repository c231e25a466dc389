// Package fake is a machine for tests: it records every call in order, keeps
// what is written to the disk in a sparse file (so that other tools can read
// it) and what is written to mounted file systems in a map, and can lose power
// before any call. It mounts nothing and runs no program.
package fake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/system"
)

// ErrPower is what every call returns once the power is gone.
var ErrPower = errors.New("the power failed")

// System records calls. FailAt is the number of the call (from 1) before which
// the power fails; 0 means never.
type System struct {
	Calls  []string
	Files  map[string][]byte
	Disk   *os.File
	FailAt int
	// Corrupt changes what a path or the disk gives back: "disk", or a file's path.
	Corrupt string
}

var _ system.System = (*System)(nil)

// New makes a machine with one disk of n bytes, kept in a sparse file at path.
func New(path string, n int64) (*System, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	return &System{Files: map[string][]byte{}, Disk: f}, f.Truncate(n)
}

// call records one call, or loses power before it.
func (s *System) call(format string, args ...any) error {
	if s.FailAt > 0 && len(s.Calls)+1 >= s.FailAt {
		return ErrPower
	}
	s.Calls = append(s.Calls, fmt.Sprintf(format, args...))
	return nil
}

func (s *System) OpenDisk(path string) (system.Disk, error) {
	return disk{s}, s.call("open %s", path)
}

func (s *System) Run(_ context.Context, c system.Command) error {
	return s.call("run %s", strings.Join(append(c.Env, c.Argv...), " "))
}

func (s *System) Mount(m system.Mount) error {
	flags := ""
	if m.Bind {
		flags += " bind"
	}
	if m.ReadOnly {
		flags += " ro"
	}
	if m.Options != "" {
		flags += " " + m.Options
	}
	return s.call("mount %s %s on %s%s", m.Type, m.Source, m.Target, flags)
}

func (s *System) Unmount(target string) error { return s.call("unmount %s", target) }

func (s *System) MkdirAll(path string, mode fs.FileMode, gid int) error {
	return s.call("mkdir %s %v gid %d", path, mode, gid)
}

func (s *System) WriteFile(path string, mode fs.FileMode, r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.call("write %s %o %d bytes %s", path, mode, len(b), digest.Of(b).Short()); err != nil {
		return err
	}
	s.Files[path] = b
	return nil
}

func (s *System) Open(path string) (io.ReadCloser, error) {
	if err := s.call("read %s", path); err != nil {
		return nil, err
	}
	b, ok := s.Files[path]
	if !ok {
		return nil, fs.ErrNotExist
	}
	if s.Corrupt == path {
		b = append(bytes.Clone(b), 0)
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

func (s *System) Sync(path string) error { return s.call("sync %s", path) }

// disk is the System's one disk.
type disk struct{ *System }

func (d disk) ReadAt(p []byte, off int64) (int, error) {
	n, err := d.Disk.ReadAt(p, off)
	if d.Corrupt == "disk" && n > 0 {
		p[0] ^= 1
	}
	return n, err
}

func (d disk) WriteAt(p []byte, off int64) (int, error) {
	if err := d.call("disk write %d at %d", len(p), off); err != nil {
		return 0, err
	}
	if bytes.Count(p, []byte{0}) == len(p) { // zeros become a hole: quick, and the same to read
		if err := unix.Fallocate(int(d.Disk.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, int64(len(p))); err == nil {
			return len(p), nil
		}
	}
	return d.Disk.WriteAt(p, off)
}

func (d disk) Sync() error   { return d.call("disk sync") }
func (d disk) Forget() error { return d.call("disk forget") }
func (d disk) Close() error  { return d.call("disk close") }

func (d disk) Partition(parts []system.Extent) ([]string, error) {
	var nodes []string
	for _, e := range parts {
		nodes = append(nodes, system.PartitionPath("/dev/vda", e.Number))
	}
	return nodes, d.call("disk partition %v", parts)
}
