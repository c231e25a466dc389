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
	out := &lines{show: c.Show, log: l.Log}
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	out.end()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return Tool.New("cannot run %s: this system does not have it", c.Argv[0]).
			Hint("the node OS image must carry it; a medium whose verification passed does")
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return Tool.New("cannot run %s: %w: %s", strings.Join(c.Argv, " "), err, strings.TrimSpace(string(out.kept))).
		Hint("the lines above are the end of the program's own output")
}

// lines takes a program's output line by line: each is filtered, logged, and
// the last ones are kept.
type lines struct {
	show func(string) string
	log  io.Writer
	part []byte // of a line that has no end yet
	kept []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.part = append(l.part, p...)
	for {
		line, rest, ok := bytes.Cut(l.part, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		l.part = rest
		l.line(string(line))
	}
}

func (l *lines) end() {
	if len(l.part) > 0 {
		l.line(string(l.part))
	}
}

func (l *lines) line(s string) {
	if l.show != nil {
		if s = l.show(s); s == "" {
			return
		}
	}
	if l.log != nil {
		_, _ = io.WriteString(l.log, s+"\n") // a full console must not stop a program
	}
	l.kept = append(l.kept, s+"\n"...)
	if over := len(l.kept) - tailSize; over > 0 {
		l.kept = l.kept[over:]
	}
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
