package node

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/internal/system"
	"caisson.dev/caisson/nodeos"
)

// mediumEnvironment is how the medium is met that can be pulled out, and that the
// live system itself runs from.
type mediumEnvironment interface {
	// Medium fails with MEDIUM-GONE if the medium at dir cannot be read any more.
	// One that was plugged in again is mounted there again first.
	Medium(dir string) error
	// Keep copies the image of the running system to memory, n bytes, in place of
	// the file of that name on the medium: what is pulled out then is the medium alone.
	Keep(name string, image io.Reader, n int64) error
}

// keep makes the running system independent of the medium. It goes on without:
// only a pulled stick shows the difference.
func keep(r *run, v *bundle.Verified, sink event.Sink) {
	os := v.Manifest().OS
	image, err := v.Open(os.Image)
	if err == nil {
		err = r.env.Keep(os.Image.Hex(), image, os.Size)
		_ = image.Close() // it was only read
	}
	said := "the running system is in memory: the medium may be plugged in anew"
	if err != nil {
		said = "the running system stays on the medium: " + err.Error()
	}
	sink(event.Event{Name: "memory", Message: said})
}

// orGone is err, or that the medium is gone: what fails first when a stick is
// pulled is chance. The journal of an install has it.
func (c installCmd) orGone(r *run, err error) error {
	if r.ctx.Err() != nil {
		return err
	}
	if gone := r.env.Medium(c.Medium); gone != nil {
		return gone
	}
	return err
}

// liveLabel is the volume label of the medium that this system was started from,
// or "".
func liveLabel(cmdline string) string {
	label, ok := strings.CutPrefix(argument(cmdline, "root"), "live:CDLABEL=")
	if !ok {
		return ""
	}
	return label
}

func (e machineEnvironment) Medium(dir string) error {
	label := liveLabel(e.Cmdline())
	if label == "" || filepath.Clean(dir) != nodeos.LiveMedium {
		return nil // a folder
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	have := holdsVolume(sourceOf(string(mounts), nodeos.LiveMedium), label)
	if have == nil {
		return nil
	}
	// By the device's own name: the label's link moves on with the next stick.
	again, err := filepath.EvalSymlinks("/dev/disk/by-label/" + label)
	if err != nil || holdsVolume(again, label) != nil {
		return MediumGone.New("cannot read the medium: have no stick, disc or disk %s any more (%w), need it plugged in", label, have).
			Hint("plug it in again, into another port if need be, and wait a few seconds")
	}
	// Whoever still has a file of the old one open keeps it; it is dead anyway.
	if err := unix.Unmount(nodeos.LiveMedium, unix.MNT_DETACH); err != nil && err != unix.EINVAL {
		return MediumGone.New("cannot take the medium %s again: %w", label, err).Hint("start the machine from it again")
	}
	return system.Linux{}.Mount(system.Mount{Source: again, Target: nodeos.LiveMedium, Type: "iso9660", ReadOnly: true})
}

// sourceOf is the device that is mounted at dir, last, in /proc/mounts form.
func sourceOf(mounts, dir string) string {
	source := ""
	for line := range strings.Lines(mounts) {
		if f := strings.Fields(line); len(f) > 1 && f[1] == dir {
			source = f[0]
		}
	}
	return source
}

// Where ISO 9660 has its primary volume descriptor (ECMA-119, 6.7.1.1 and 8.4):
// its kind and "CD001", then the volume's label at 40. It is read in whole pages.
const (
	descriptor = 16 * 2048
	page       = 4096
)

// holdsVolume fails unless that volume can be read from the device now: past all
// caches, since they still answer for a stick that is gone.
func holdsVolume(device, label string) error {
	fd, err := unix.Open(device, unix.O_RDONLY|unix.O_DIRECT|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot open %q: %w", device, err)
	}
	defer unix.Close(fd)
	// O_DIRECT reads to whole pages of memory (open(2)), which a mapping is.
	b, err := unix.Mmap(-1, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return err
	}
	defer unix.Munmap(b)
	n, err := unix.Pread(fd, b, descriptor)
	if err == nil && n < page {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", device, err)
	}
	if found := strings.TrimRight(string(b[40:72]), " "); string(b[1:6]) != "CD001" || found != label {
		return fmt.Errorf("%s holds %q", device, found)
	}
	return nil
}

// loopChangeFD changes the file behind a loop device (LOOP_CHANGE_FD, linux/loop.h).
const loopChangeFD = 0x4C06

// spare is the memory that must stay free when the system is kept in memory.
const spare = 512 * size.MiB

func (e machineEnvironment) Keep(name string, image io.Reader, n int64) error {
	if argument(e.Cmdline(), "rd.live.ram") == "1" {
		return nil // it was copied at the start
	}
	loops, err := loopsOn("/sys/block", name)
	if err != nil {
		return err
	}
	if len(loops) == 0 {
		return fmt.Errorf("no loop device has the image %s", name)
	}
	if free, err := available(); err != nil || free < size.Bytes(n)+spare {
		return fmt.Errorf("have %s of memory free (%v), need %s", free, err, size.Bytes(n)+spare)
	}
	fd, err := unix.MemfdCreate("caisson-system", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "caisson-system")
	defer f.Close() // the loop devices hold it
	if _, err := io.Copy(f, image); err != nil {
		return err
	}
	for _, name := range loops {
		loop, err := os.Open(name)
		if err != nil {
			return err
		}
		// The kernel demands a device that is only read and a file of the same size.
		err = unix.IoctlSetInt(int(loop.Fd()), loopChangeFD, fd)
		_ = loop.Close() // it was only asked
		if err != nil {
			return fmt.Errorf("cannot change what is behind %s: %w", name, err)
		}
	}
	return nil
}

// loopsOn are the loop devices behind which lies a file of that name. Its folder
// tells nothing: the mount that the initramfs opened it by is gone.
func loopsOn(block, name string) ([]string, error) {
	marks, err := filepath.Glob(block + "/loop*/loop/backing_file")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, m := range marks {
		if b, err := os.ReadFile(m); err == nil && filepath.Base(strings.TrimSpace(string(b))) == name {
			out = append(out, "/dev/"+filepath.Base(filepath.Dir(filepath.Dir(m))))
		}
	}
	return out, nil
}

// available is MemAvailable of /proc/meminfo, which counts in KiB and says kB.
func available() (size.Bytes, error) {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "MemAvailable:" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return size.Bytes(n) * size.KiB, err
		}
	}
	return 0, fmt.Errorf("/proc/meminfo names no MemAvailable")
}
