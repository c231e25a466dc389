package system

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Linux is the machine that this program runs on. It needs root.
type Linux struct {
	// Log takes the output of programs, line by line as they write it; nil drops it.
	Log io.Writer
}

var _ System = Linux{}

// tailSize is how much of a failed program's output an error carries.
const tailSize = 2000

func (l Linux) Run(ctx context.Context, c Command) error {
	var out tail
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Stdout, cmd.Stderr = io.Writer(&out), io.Writer(&out)
	if l.Log != nil {
		cmd.Stdout = io.MultiWriter(&out, l.Log)
		cmd.Stderr = cmd.Stdout
	}
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return Tool.New("cannot run %s: this system does not have it", c.Argv[0]).
			Hint("the node OS image must carry it; a medium whose verification passed does")
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return Tool.New("cannot run %s: %w: %s", strings.Join(c.Argv, " "), err, strings.TrimSpace(out.String())).
		Hint("the lines above are the end of the program's own output")
}

// tail keeps the end of what is written to it.
type tail struct{ bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	n, err := t.Buffer.Write(p)
	if over := t.Len() - tailSize; over > 0 {
		t.Next(over)
	}
	return n, err
}

func (Linux) Mount(m Mount) error {
	var flags uintptr
	if m.Bind {
		flags |= unix.MS_BIND
	}
	if m.ReadOnly {
		flags |= unix.MS_RDONLY
	}
	if err := unix.Mount(m.Source, m.Target, m.Type, flags, m.Options); err != nil {
		return Write.New("cannot mount %s on %s (%s): %w", m.Source, m.Target, m.Type, err)
	}
	return nil
}

func (Linux) Unmount(target string) error {
	if err := unix.Unmount(target, 0); err != nil {
		return Write.New("cannot unmount %s: %w", target, err)
	}
	return nil
}

func (Linux) MkdirAll(path string, mode fs.FileMode, gid int) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return Write.New("cannot make the folder %s: %w", path, err)
	}
	if err := os.Chown(path, 0, gid); err != nil {
		return Write.New("cannot give %s to group %d: %w", path, gid, err)
	}
	if err := os.Chmod(path, mode); err != nil { // past the umask
		return Write.New("cannot set the mode of %s to %o: %w", path, mode, err)
	}
	return nil
}

func (Linux) WriteFile(path string, mode fs.FileMode, r io.Reader) (err error) {
	defer func() {
		if err != nil {
			err = Write.New("cannot write %s: %w", path, err)
		}
	}()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := io.CopyBuffer(struct{ io.Writer }{f}, struct{ io.Reader }{r}, make([]byte, 1<<20)); err != nil {
		return err
	}
	if mode == 0 {
		return nil
	}
	return f.Chmod(mode)
}

func (Linux) Open(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, Write.New("cannot read %s back: %w", path, err)
	}
	// Clean pages are dropped, so that the read goes to the device. Advice only:
	// a file system that ignores it is still read in full.
	_ = unix.Fdatasync(int(f.Fd()))
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
	return f, nil
}

func (Linux) Sync(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return Write.New("cannot sync %s: %w", path, err)
	}
	defer f.Close()
	if err := unix.Syncfs(int(f.Fd())); err != nil {
		return Write.New("cannot sync the file system of %s: %w", path, err).
			Hint("the disk reported a write error: see the kernel's messages, and replace the disk")
	}
	return nil
}
