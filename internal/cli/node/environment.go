package node

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/internal/system"
	"caisson.dev/caisson/nodeos"
)

// environment is what the program meets outside of itself; tests bring another.
type environment interface {
	// Cmdline is the kernel's command line.
	Cmdline() string
	// Labelled reads a file from the file system with that label. It fails with
	// fs.ErrNotExist if there is no such file system, or no such file in it.
	Labelled(label, file string) ([]byte, error)
	// Port opens the event port; nil if there is none.
	Port() io.WriteCloser
	// Consoles opens the consoles other than this program's own output.
	Consoles() []io.WriteCloser
	// System acts on the machine; log takes the output of the programs it runs.
	System(log io.Writer) system.System
	// Lay writes the registry's view, as images.Lay does.
	Lay(root, storeDir string, entries []images.ViewEntry) error
	// Scratch is a folder in memory for the journal and the mounts of an install.
	Scratch() string
	// Leave restarts or powers off: "reboot" or "poweroff".
	Leave(how string) error
	// Root is the machine's file system.
	Root() fs.FS
	mediumEnvironment
	screenEnvironment
	networkEnvironment
	consoleEnvironment
}

// machineEnvironment is the machine that this program runs on.
type machineEnvironment struct{}

func (machineEnvironment) Cmdline() string {
	b, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func (machineEnvironment) Root() fs.FS { return os.DirFS("/") }

func (machineEnvironment) System(log io.Writer) system.System { return system.Linux{Log: log} }

func (machineEnvironment) Scratch() string { return "/run/caisson" }

func (machineEnvironment) Lay(root, storeDir string, entries []images.ViewEntry) error {
	return images.Lay(root, storeDir, entries)
}

func (machineEnvironment) Port() io.WriteCloser {
	if _, err := os.Stat(nodeos.Events); err != nil {
		return nil
	}
	return &port{path: nodeos.Events, patience: 10 * time.Second}
}

// Consoles are the kernel's consoles but the one behind /dev/console, which
// systemd gives this program's output to: the last one of the command line,
// flagged C in /proc/consoles (fs/proc/consoles.c).
func (machineEnvironment) Consoles() []io.WriteCloser {
	b, err := os.ReadFile("/proc/consoles")
	if err != nil {
		return nil
	}
	var out []io.WriteCloser
	for line := range strings.Lines(string(b)) {
		name, rest, ok := strings.Cut(line, " ")
		if _, flags, found := strings.Cut(rest, "("); !ok || !found || strings.Contains(strings.SplitN(flags, ")", 2)[0], "C") {
			continue
		}
		f, err := os.OpenFile("/dev/"+name, os.O_WRONLY, 0)
		switch {
		case err != nil:
		case name == "tty0":
			out = append(out, beneath{f, consoleMark})
		default:
			out = append(out, f)
		}
	}
	return out
}

func (machineEnvironment) Leave(how string) error {
	return system.Linux{}.Run(context.Background(), system.Command{Argv: []string{"systemctl", "--no-block", how}})
}

// maxAnswers bounds what is read from a foreign medium.
const maxAnswers = 1 << 20

func (e machineEnvironment) Labelled(label, file string) ([]byte, error) {
	device := "/dev/disk/by-label/" + label
	if _, err := os.Stat(device); err != nil {
		return nil, err
	}
	dir := e.Scratch() + "/answers"
	sys := system.Linux{}
	if err := sys.MkdirAll(dir, 0o700, 0); err != nil {
		return nil, err
	}
	var errs []error
	for _, kind := range []string{"iso9660", "vfat"} {
		if err := sys.Mount(system.Mount{Source: device, Target: dir, Type: kind, ReadOnly: true}); err != nil {
			errs = append(errs, err)
			continue
		}
		b, err := readSmall(filepath.Join(dir, file))
		return b, errors.Join(err, sys.Unmount(dir))
	}
	return nil, errors.Join(errs...)
}

func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	_, err = io.Copy(&b, io.LimitReader(f, maxAnswers))
	return b.Bytes(), err
}

// argument is the value of the last name=value on the kernel command line.
func argument(cmdline, name string) string {
	value := ""
	for f := range strings.FieldsSeq(cmdline) {
		if v, ok := strings.CutPrefix(f, name+"="); ok {
			value = strings.Trim(v, `"`)
		}
	}
	return value
}

// flagged says whether the word stands alone on the kernel command line.
func flagged(cmdline, word string) bool { return slices.Contains(strings.Fields(cmdline), word) }
