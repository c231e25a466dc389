package vm

import (
	"io"
	"path/filepath"

	"caisson.dev/caisson/internal/size"
)

// Config is one machine. The zero value of a field means the default that its
// comment names; Resolve fills those that depend on this computer.
type Config struct {
	Name     string        // shown in the window's title and in errors; "caisson"
	Program  string        // qemu-system-x86_64; found in PATH by Resolve
	Accel    Accel         // found by Resolve: KVM when /dev/kvm can be opened
	Memory   size.Bytes    // 4 GiB
	CPUs     int           // 2
	Firmware Firmware      // UEFI
	Files    FirmwareFiles // found by Resolve; Vars is this machine's private copy
	Media    []Medium      // the ISO first, then answers
	Disks    []Disk
	Cards    int    // network cards whose cable ends in a hub with nothing else on it
	Order    Order  // MediaFirst
	Serial   string // SMBIOS product serial, for roster matches
	UUID     string // SMBIOS product UUID
	Display  string // "none"; "gtk" and "sdl" open a window
	Console  Console
	Dir      string // folder for sockets, serial.log, qemu.log and Vars: short, private to this machine
	NoReboot bool   // a reset by the guest ends the process: Exit says "guest-reset"
	// SerialTap gets every byte of the serial line as it came, escape sequences
	// and all: for a terminal emulator. Its errors are not noticed.
	SerialTap io.Writer
	Paused    bool // start with the CPUs stopped (QMP cont goes on)
	Wire      Wire // a network card whose cable leads to another machine of the test
}

// Accel is how the guest's instructions run.
type Accel string

const (
	TCG Accel = "tcg" // emulation: works everywhere, 10 to 30 times slower
	KVM Accel = "kvm"
)

// Firmware is what the machine starts with.
type Firmware string

const (
	UEFI           Firmware = "uefi"
	UEFISecureBoot Firmware = "uefi-secureboot" // enforced, Microsoft's keys enrolled
	BIOS           Firmware = "bios"            // SeaBIOS, built into QEMU
)

// FirmwareFiles are the two flash images of a UEFI machine.
type FirmwareFiles struct {
	Code string // read only, shared
	Vars string // written by the machine: a private copy
}

// Attach is how a medium is plugged in.
type Attach string

const (
	Optical Attach = "optical" // SATA CD-ROM drive: also what virtual media look like
	Stick   Attach = "usb"     // USB mass storage on an xHCI controller
	Drive   Attach = "disk"    // virtio disk: an image written to a fixed or virtual disk
)

// Medium is an image file, read-only unless it says otherwise.
type Medium struct {
	Path     string
	Attach   Attach // Optical
	Format   string // "raw"
	Writable bool   // a stick that takes files
	Absent   bool   // a stick that is not plugged in yet: VM.Plug does
}

// Bus is how a disk is connected.
type Bus string

const (
	VirtioBlk Bus = "virtio"
	NVMe      Bus = "nvme"
	SATA      Bus = "sata"
)

// Disk is a raw image file. Raw, because a raw file holds what the guest wrote
// even when QEMU is killed (qcow2 keeps tables in memory), and because tests
// read it with other people's tools.
type Disk struct {
	Path     string
	Bus      Bus        // VirtioBlk
	Serial   string     // at most 20 bytes (virtio-blk); the same serial names it under /dev/disk/by-id
	Size     size.Bytes // Start makes a sparse file of this size when Path is missing
	Durable  bool       // honour the guest's flushes; tests do without (cache=unsafe)
	Snapshot bool       // the guest's writes are thrown away at the end
}

// Order is which devices the firmware tries first.
type Order string

const (
	MediaFirst Order = "media-first"
	DisksFirst Order = "disks-first" // a blank disk is skipped: the way a site leaves the stick in
)

// Console is where the first serial line goes.
type Console string

const (
	ConsoleSocket Console = "socket" // to the VM value, and Dir/serial.log
	ConsoleStdio  Console = "stdio"  // to the terminal of the person
	ConsoleWindow Console = "window" // to a tab of the window
)

// EventPort is the name of the virtio-serial port that the guest reports on.
const EventPort = "org.caisson.events"

// JournalPort is the name of the port that the guest copies its journal to.
const JournalPort = "org.caisson.journal"

// Files in Config.Dir.
const (
	serialSocket = "serial.sock"
	eventSocket  = "events.sock"
	qmpSocket    = "qmp.sock"
	SerialLog    = "serial.log" // all that came over the serial line, as it came
	QEMULog      = "qemu.log"   // QEMU's own output
	EventLog     = "events.jsonl"
	JournalLog   = "journal.log" // empty if the guest never came so far
	varsCopy     = "vars.fd"
)

// defaults fills the fields whose default needs no look at this computer.
func (c Config) defaults() Config {
	set(&c.Name, "caisson")
	set(&c.Program, "qemu-system-x86_64")
	set(&c.Accel, TCG)
	set(&c.Memory, 4*size.GiB)
	set(&c.CPUs, 2)
	set(&c.Firmware, UEFI)
	set(&c.Order, MediaFirst)
	set(&c.Display, "none")
	set(&c.Console, ConsoleSocket)
	c.Media = append([]Medium(nil), c.Media...)
	for i := range c.Media {
		set(&c.Media[i].Attach, Optical)
		set(&c.Media[i].Format, "raw")
	}
	c.Disks = append([]Disk(nil), c.Disks...)
	for i := range c.Disks {
		set(&c.Disks[i].Bus, VirtioBlk)
	}
	return c
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// controlled tells whether the machine is driven by a VM value: QMP, events
// and serial sockets are made only then.
func (c Config) controlled() bool { return c.Console == ConsoleSocket }

func (c Config) file(name string) string { return filepath.Join(c.Dir, name) }
