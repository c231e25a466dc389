package node

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/internal/system"
)

// terminal is a console that a person can type at.
type terminal struct {
	Name   string // "tty1", "ttyS0": what the screens call it
	Serial bool   // any kind of terminal may be at the other end
	File   *os.File
}

// screenEnvironment is the part of the environment that only the screens meet.
type screenEnvironment interface {
	// Terminals opens every console of the kernel for typing and drawing.
	Terminals() []terminal
	// Quiet keeps the kernel and systemd from writing over the screens.
	Quiet()
	// Shell runs a root shell at a console until it ends.
	Shell(ctx context.Context, device string) error
	// SetClock sets the system's and the hardware's clock, UTC.
	SetClock(t time.Time) error
	// Stick calls write with a folder of a stick that takes new files, and says
	// which stick that was.
	Stick(m machine.Machine, write func(dir string) error) (string, error)
}

// Terminals follows /proc/consoles. tty0 stands for whichever virtual terminal
// is in front; the screens live on the first.
func (machineEnvironment) Terminals() []terminal {
	b, err := os.ReadFile("/proc/consoles")
	if err != nil {
		return nil
	}
	var out []terminal
	for line := range strings.Lines(string(b)) {
		name, _, _ := strings.Cut(line, " ")
		t := terminal{Name: name, Serial: name != "tty0"}
		if name == "tty0" {
			t.Name = "tty1"
		}
		f, err := os.OpenFile("/dev/"+t.Name, os.O_RDWR|unix.O_NOCTTY, 0)
		if err != nil {
			continue // a serial port that is named and not there
		}
		if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err != nil {
			_ = f.Close()
			continue
		}
		t.File = f
		out = append(out, t)
	}
	return out
}

// statusOff is what systemd takes as the order to show no status messages:
// SIGRTMIN+21 (systemd(1), signals), and SIGRTMIN is 34 (nptl(7)).
const statusOff = syscall.Signal(34 + 21)

func (machineEnvironment) Quiet() {
	// Both only spare the eye: a failure leaves lines between the screens.
	_ = os.WriteFile("/proc/sys/kernel/printk", []byte("1 4 1 7\n"), 0)
	_ = syscall.Kill(1, statusOff)
}

func (machineEnvironment) SetClock(t time.Time) error {
	tv := unix.NsecToTimeval(t.UnixNano())
	if err := unix.Settimeofday(&tv); err != nil {
		return ClockRefused.New("cannot set the clock to %s: %w", t.UTC().Format(time.RFC3339), err)
	}
	rtc, err := os.Open("/dev/rtc0")
	if os.IsNotExist(err) {
		return nil // a machine without one asks again after each start
	}
	if err != nil {
		return ClockRefused.New("cannot open the hardware clock: %w", err)
	}
	defer rtc.Close()
	u := t.UTC()
	if err := unix.IoctlSetRTCTime(int(rtc.Fd()), &unix.RTCTime{Sec: int32(u.Second()), Min: int32(u.Minute()), Hour: int32(u.Hour()),
		Mday: int32(u.Day()), Mon: int32(u.Month()) - 1, Year: int32(u.Year()) - 1900}); err != nil {
		return ClockRefused.New("cannot set the hardware clock to %s: %w", u.Format(time.RFC3339), err).
			Hint("its battery may be empty; the system's clock is set until the next start")
	}
	return nil
}

// Stick tries every removable disk but the medium, its partitions first, and
// takes the first with a FAT file system that can be written.
func (e machineEnvironment) Stick(m machine.Machine, write func(dir string) error) (string, error) {
	dir := e.Scratch() + "/stick"
	sys := system.Linux{}
	if err := sys.MkdirAll(dir, 0o700, 0); err != nil {
		return "", err
	}
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return "", err
	}
	missing := StickMissing.New("cannot use a stick: have none with a FAT file system that takes new files, need one")
	for _, d := range m.Disks {
		if d.Medium || d.ReadOnly || !d.Removable && d.Transport != "usb" || holdsMount(string(mounts), d.Name) {
			continue
		}
		for _, dev := range append(partitionsOf(os.DirFS("/sys/block"), d.Name), d.Name) {
			if err := sys.Mount(system.Mount{Source: "/dev/" + dev, Target: dir, Type: "vfat", Options: "umask=0077,flush"}); err != nil {
				missing.Hint("seen: /dev/%s: %v", dev, err)
				continue
			}
			err := write(dir)
			if err == nil {
				err = sys.Sync(dir)
			}
			if off := sys.Unmount(dir); err == nil {
				err = off
			}
			return d.Describe(), err
		}
	}
	return "", missing.Hint("plug in a second stick (the one you started from cannot be written), wait three seconds, and try again")
}

// holdsMount says whether a file system of the disk is mounted, in /proc/mounts
// form: a node may itself live on a disk that can be pulled out.
func holdsMount(mounts, disk string) bool {
	for line := range strings.Lines(mounts) {
		source, _, _ := strings.Cut(line, " ")
		part, ok := strings.CutPrefix(source, "/dev/"+disk)
		if ok && strings.Trim(part, "p0123456789") == "" {
			return true
		}
	}
	return false
}

// partitionsOf are the kernel's names of a disk's partitions.
func partitionsOf(block fs.FS, disk string) []string {
	marks, err := fs.Glob(block, disk+"/*/partition")
	if err != nil {
		return nil
	}
	var out []string
	for _, p := range marks {
		out = append(out, filepath.Base(filepath.Dir(p)))
	}
	return out
}

// echo makes a terminal show what is typed, or not. One that cannot be told shows
// it, which spares nobody the typing.
func echo(f *os.File, on bool) {
	fd := int(f.Fd())
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return
	}
	t.Lflag &^= unix.ECHO
	if on {
		t.Lflag |= unix.ECHO
	}
	_ = unix.IoctlSetTermios(fd, unix.TCSETS, t)
}
