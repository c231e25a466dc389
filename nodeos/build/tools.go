package build

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"caisson.dev/caisson/bundle"
)

// tools are the programs the build runs, and the Debian packages they are in.
var tools = map[string]string{
	"mmdebstrap": "mmdebstrap", "dpkg-deb": "dpkg", "tar": "tar", "mksquashfs": "squashfs-tools", "unshare": "util-linux",
}

// rootMode finds how the build may act as root inside the new tree: as root, or
// in a user namespace with a range of ids of one's own (uid is the caller's). It
// also checks that the tools are there, before any work is done.
func rootMode(ctx context.Context, uid int) (string, error) {
	for tool, pkg := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			return "", toolMissing.New("cannot build the node OS: the program %s is not on this machine", tool).
				Hint("install it: apt install %s", pkg)
		}
	}
	if uid == 0 {
		return "root", nil
	}
	out, err := inNamespace(ctx, "true").CombinedOutput()
	if err != nil {
		return "", rights.New("cannot build the node OS as this user: have uid %d without a usable range of subordinate ids, need that or root (%s)",
			uid, strings.TrimSpace(string(out))).
			Hint("install uidmap and give this user a range in /etc/subuid and /etc/subgid: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER").
			Hint("or run caisson as root")
	}
	return "unshare", nil
}

// inNamespace runs a tool as the root of a user namespace that owns what the
// build's root owns.
func inNamespace(ctx context.Context, args ...string) *exec.Cmd {
	return command(ctx, "unshare", append([]string{"--user", "--map-auto", "--map-root-user"}, args...)...)
}

// asRoot makes a program of an ordinary user see itself as root, with no rights
// beyond the user's: mksquashfs 4.5 gives the image's top folder to whoever runs
// it, and -root-uid does nothing for a tree that comes as tar. Nil for root.
func asRoot(uid, gid int) *syscall.SysProcAttr {
	if uid == 0 {
		return nil
	}
	return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: gid, Size: 1}}}
}

// command is a tool with a fixed environment: nothing of the caller's locale,
// time zone or package tools' settings reaches the image.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC",
		"HOME=/nonexistent", "DEBIAN_FRONTEND=noninteractive"}
	// Asked to stop, a tool unmounts and cleans up after itself.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd
}

// keep is how many lines of a tool's output are shown when it fails.
const keep = 12

// lastLines keeps the end of a tool's output, line by line.
type lastLines struct {
	onLine func(string) // may be nil
	part   []byte
	lines  []string
	full   bool // the tool found no room on the disk; that may be far from its end
}

func (l *lastLines) Write(p []byte) (int, error) {
	l.part = append(l.part, p...)
	for {
		line, rest, ok := bytes.Cut(l.part, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		l.part = rest
		l.add(string(line))
	}
}

func (l *lastLines) add(line string) {
	if l.onLine != nil {
		l.onLine(line)
	}
	for _, words := range noRoom {
		l.full = l.full || strings.Contains(line, words)
	}
	if l.lines = append(l.lines, line); len(l.lines) > keep {
		l.lines = l.lines[1:]
	}
}

// noRoom are the C library's words for ENOSPC and EDQUOT, and apt's own.
var noRoom = []string{"No space left on device", "Disk quota exceeded", "enough free space in"}

// failed is the error of a tool that ended badly, with its last words; dir is
// where it wrote.
func failed(ctx context.Context, tool, dir string, err error, log *lastLines) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(log.part) > 0 {
		log.add(string(log.part))
	}
	if log.full {
		return outOfRoom(dir, tool)
	}
	return buildFailed.New("cannot build the node OS: %s ended with %w; its last words:\n  %s", tool, err, strings.Join(log.lines, "\n  ")).
		Hint("if a package's own script failed, build with the same Spec and another os.snapshot, or leave the package out of os.packages")
}

func outOfRoom(dir, who string) error {
	return bundle.Full(dir, 0).
		Hint("%s ran out of room: free space there, or choose another disk (as root with --cache, else with TMPDIR)", who)
}

// laid is the error of what the build itself lays out in dir for a tool.
func laid(dir string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return outOfRoom(dir, "the copy of the packages")
	}
	return err
}
