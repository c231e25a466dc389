package build

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

// tools are the programs the build runs, and the Debian packages they are in.
var tools = map[string]string{
	"mmdebstrap": "mmdebstrap", "dpkg-deb": "dpkg", "tar": "tar", "mksquashfs": "squashfs-tools", "unshare": "util-linux",
}

// rootMode finds how the build may act as root inside the new tree: as root, or
// in a user namespace with a range of ids of one's own. It also checks that the
// tools are there, before any work is done.
func rootMode(ctx context.Context) (string, error) {
	for tool, pkg := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			return "", toolMissing.New("cannot build the node OS: the program %s is not on this machine", tool).
				Hint("install it: apt install %s", pkg)
		}
	}
	if unix.Geteuid() == 0 {
		return "root", nil
	}
	out, err := command(ctx, "unshare", "--user", "--map-auto", "--map-root-user", "true").CombinedOutput()
	if err != nil {
		return "", rights.New("cannot build the node OS as this user: have uid %d without a usable range of subordinate ids, need that or root (%s)",
			unix.Geteuid(), strings.TrimSpace(string(out))).
			Hint("install uidmap and give this user a range in /etc/subuid and /etc/subgid: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER").
			Hint("or run caisson as root")
	}
	return "unshare", nil
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
	if l.lines = append(l.lines, line); len(l.lines) > keep {
		l.lines = l.lines[1:]
	}
}

// failed is the error of a tool that ended badly, with its last words.
func failed(ctx context.Context, tool string, err error, log *lastLines) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(log.part) > 0 {
		log.add(string(log.part))
	}
	return buildFailed.New("cannot build the node OS: %s ended with %w; its last words:\n  %s", tool, err, strings.Join(log.lines, "\n  ")).
		Hint("if a package's own script failed, build with the same Spec and another os.snapshot, or leave the package out of os.packages")
}
