package vm

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"caisson.dev/caisson/internal/size"
)

// PersonOptions are what `caisson boot` lets a person choose. Zero values take
// the defaults named.
type PersonOptions struct {
	Firmware Firmware   // UEFI
	Attach   Attach     // Optical
	Memory   size.Bytes // 4 GiB
	CPUs     int        // 2
	Disk     string     // beside the ISO: demo.iso gets demo.disk.img
	DiskSize size.Bytes // 64 GiB, sparse
	Answers  string     // an answers medium, from AnswersMedium; none
	Text     bool       // this terminal even where a window could be opened
}

// PersonConfig is a machine for a person: a window where there is a display,
// else the serial line on this terminal (leave with Ctrl-A X). The disk stays
// between runs and is tried first, so that a second run boots what the first
// one installed.
func PersonConfig(iso string, o PersonOptions, getenv func(string) string) Config {
	set(&o.Disk, strings.TrimSuffix(iso, filepath.Ext(iso))+".disk.img")
	set(&o.DiskSize, 64*size.GiB)
	set(&o.Attach, Optical)
	c := Config{
		Name:     "caisson boot " + filepath.Base(iso),
		Firmware: o.Firmware, Memory: o.Memory, CPUs: o.CPUs,
		Media:   []Medium{{Path: iso, Attach: o.Attach}},
		Disks:   []Disk{{Path: o.Disk, Size: o.DiskSize, Serial: "CAISSON-BOOT", Durable: true}},
		Order:   DisksFirst,
		Console: ConsoleStdio,
	}
	if o.Answers != "" {
		c.Media = append(c.Media, Medium{Path: o.Answers, Attach: o.Attach})
	}
	if !o.Text && (getenv("DISPLAY") != "" || getenv("WAYLAND_DISPLAY") != "") {
		c.Console, c.Display = ConsoleWindow, "gtk"
	}
	return c.defaults()
}

// Windowless turns a window that this QEMU cannot open into the serial line on
// this terminal, and says so in why; why is "" where nothing had to change.
// Distributions ship QEMU's windows as packages of their own.
func Windowless(ctx context.Context, c Config) (changed Config, why string) {
	if c.Console != ConsoleWindow {
		return c, ""
	}
	// It loads each module that it lists. Where it cannot be asked, its own words
	// on starting tell more.
	list, err := exec.CommandContext(ctx, c.Program, "-display", "help").Output()
	if err != nil || slices.Contains(strings.Fields(string(list)), c.Display) {
		return c, ""
	}
	why = "no window: this QEMU has no " + c.Display + " display (Debian, Ubuntu: package qemu-system-gui). " +
		"The serial line is on this terminal; leave with Ctrl-A X."
	c.Console, c.Display = ConsoleStdio, "none"
	return c, why
}
