package vm

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"caisson.dev/caisson/internal/size"
)

// socketPathMax is the room in sockaddr_un.sun_path on Linux, less the closing
// zero (unix(7)).
const socketPathMax = 107

// Argv is the arguments for QEMU, program name not included. It is pure: every
// path in the Config must be filled in (Resolve does that), nothing is opened.
func Argv(c Config) ([]string, error) {
	c = c.defaults()
	if err := check(c); err != nil {
		return nil, err
	}
	args := []string{
		// Nothing that a distribution's QEMU or the user's files would add.
		"-nodefaults", "-no-user-config",
		"-name", esc(c.Name),
		"-machine", machine(c),
		"-accel", accel(c.Accel),
		"-cpu", cpu(c.Accel),
		"-smp", strconv.Itoa(c.CPUs),
		"-m", fmt.Sprintf("%dM", c.Memory/size.MiB),
		"-nic", "none", // no way out
		"-rtc", "base=utc",
		"-device", "virtio-rng-pci",
		"-vga", "std",
		"-display", c.Display,
	}
	args = append(args, firmware(c)...)
	args = append(args, smbios(c)...)
	args = append(args, storage(c)...)
	args = append(args, network(c)...)
	args = append(args, channels(c)...)
	args = append(args, c.Wire.args()...)
	if c.NoReboot {
		args = append(args, "-no-reboot")
	}
	if c.Paused {
		args = append(args, "-S")
	}
	return args, nil
}

func check(c Config) error {
	switch {
	case c.Accel != TCG && c.Accel != KVM:
		return wrong("accelerator", string(c.Accel), "tcg or kvm")
	case c.Firmware != UEFI && c.Firmware != UEFISecureBoot && c.Firmware != BIOS:
		return wrong("firmware", string(c.Firmware), "uefi, uefi-secureboot or bios")
	case c.Order != MediaFirst && c.Order != DisksFirst:
		return wrong("boot order", string(c.Order), "media-first or disks-first")
	case c.Console != ConsoleSocket && c.Console != ConsoleStdio && c.Console != ConsoleWindow:
		return wrong("console", string(c.Console), "socket, stdio or window")
	case c.Cards < 0 || c.Cards > 8:
		return wrong("number of network cards", strconv.Itoa(c.Cards), "0 to 8")
	case c.CPUs < 1:
		return wrong("number of CPUs", strconv.Itoa(c.CPUs), "1 or more")
	case c.Memory < size.MiB || c.Memory%size.MiB != 0:
		return wrong("memory", c.Memory.String(), "whole MiB")
	case c.Firmware != BIOS && (c.Files.Code == "" || c.Files.Vars == ""):
		return wrong("firmware files", fmt.Sprintf("%q and %q", c.Files.Code, c.Files.Vars), "a code and a vars file")
	case c.controlled() && c.Dir == "":
		return wrong("folder", "none", "a folder for the sockets")
	}
	// The longest of the three socket names decides.
	if path := c.file(serialSocket); c.controlled() && len(path) > socketPathMax {
		return wrong("socket path "+path, fmt.Sprintf("%d bytes", len(path)), fmt.Sprintf("at most %d", socketPathMax))
	}
	if err := c.Wire.check(); err != nil {
		return err
	}
	for _, m := range c.Media {
		switch {
		case m.Path == "" || !slices.Contains([]Attach{Optical, Stick, Drive}, m.Attach):
			return wrong("medium", fmt.Sprintf("path %q, attach %q", m.Path, m.Attach), "a path, and optical, usb or disk")
		case m.Attach != Stick && (m.Writable || m.Absent):
			return wrong("medium "+m.Path, fmt.Sprintf("attach %q, writable or absent", m.Attach), "usb: only a stick is written to, pulled and plugged in")
		}
	}
	for _, d := range c.Disks {
		switch {
		case d.Path == "" || (d.Bus != VirtioBlk && d.Bus != NVMe && d.Bus != SATA):
			return wrong("disk", fmt.Sprintf("path %q, bus %q", d.Path, d.Bus), "a path, and virtio, nvme or sata")
		case len(d.Serial) > 20:
			return wrong("disk serial "+d.Serial, fmt.Sprintf("%d bytes", len(d.Serial)), "at most 20")
		case d.Bus == NVMe && d.Serial == "":
			return wrong("nvme disk "+d.Path, "no serial", "a serial (QEMU demands one)")
		}
	}
	return nil
}

func wrong(what, have, need string) error {
	return ConfigWrong.New("cannot make a virtual machine with this %s: have %s, need %s", what, have, need)
}

func machine(c Config) string {
	if c.Firmware == UEFISecureBoot {
		return "q35,smm=on" // variables may be written from system management mode only
	}
	return "q35"
}

func accel(a Accel) string {
	if a == KVM {
		return "kvm"
	}
	return "tcg,thread=multi"
}

func cpu(a Accel) string {
	if a == KVM {
		return "host"
	}
	return "max"
}

func firmware(c Config) []string {
	if c.Firmware == BIOS {
		return nil
	}
	args := []string{
		"-drive", "if=pflash,unit=0,format=raw,readonly=on,file=" + esc(c.Files.Code),
		"-drive", "if=pflash,unit=1,format=raw,file=" + esc(c.Files.Vars),
	}
	if c.Firmware == UEFISecureBoot {
		args = append(args,
			"-global", "driver=cfi.pflash01,property=secure,value=on",
			// S3 resume would let the boot script be changed behind SMM's back.
			"-global", "ICH9-LPC.disable_s3=1")
	}
	return args
}

func smbios(c Config) []string {
	text := "type=1,manufacturer=Caisson,product=Virtual Machine"
	if c.Serial != "" {
		text += ",serial=" + esc(c.Serial)
	}
	if c.UUID != "" {
		text += ",uuid=" + esc(c.UUID)
	}
	return []string{"-smbios", text}
}

// storage plugs in media and disks. Boot indexes follow Order.
func storage(c Config) []string {
	var args []string
	firstMedium, firstDisk := 0, len(c.Media)
	if c.Order == DisksFirst {
		firstMedium, firstDisk = len(c.Disks), 0
	}
	port := 0 // AHCI ports ide.0 .. ide.5 of q35
	stick := false
	for i, m := range c.Media {
		id := fmt.Sprintf("medium%d", i)
		drive := fmt.Sprintf("if=none,id=%s,format=%s,readonly=on,file=%s", id, m.Format, esc(m.Path))
		boot := fmt.Sprintf(",bootindex=%d", firstMedium+i)
		switch m.Attach {
		case Stick:
			if !stick {
				args = append(args, "-device", "qemu-xhci,id=xhci")
				stick = true
			}
			// A node of its own (-blockdev) stays when the stick is pulled, -drive does not.
			args = append(args, "-blockdev", fmt.Sprintf("driver=%s,node-name=%s,read-only=%s,file.driver=file,file.filename=%s",
				m.Format, id, onOff(!m.Writable), esc(m.Path)))
			if !m.Absent {
				args = append(args, "-device", "usb-storage,bus=xhci.0,removable=on,id="+stickID(i)+",drive="+id+boot)
			}
		case Drive:
			args = append(args, "-drive", drive, "-device", "virtio-blk-pci,drive="+id+boot)
		default:
			args = append(args, "-drive", drive+",media=cdrom", "-device", fmt.Sprintf("ide-cd,bus=ide.%d,drive=%s%s", port, id, boot))
			port++
		}
	}
	for i, d := range c.Disks {
		id := fmt.Sprintf("disk%d", i)
		drive := fmt.Sprintf("if=none,id=%s,format=raw,discard=unmap,cache=%s", id, cache(d))
		if d.Snapshot {
			drive += ",snapshot=on"
		}
		device := "virtio-blk-pci"
		switch d.Bus {
		case NVMe:
			device = "nvme"
		case SATA:
			device = fmt.Sprintf("ide-hd,bus=ide.%d", port)
			port++
		}
		device += ",drive=" + id
		if d.Serial != "" {
			device += ",serial=" + esc(d.Serial)
		}
		args = append(args, "-drive", drive+",file="+esc(d.Path),
			"-device", device+fmt.Sprintf(",bootindex=%d", firstDisk+i))
	}
	return args
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// stickID is the name of the stick in a USB port, for QMP. The medium's own name
// is that of the image behind it.
func stickID(medium int) string { return fmt.Sprintf("stick%d", medium) }

// cardID is the name of a network card, for QMP.
func cardID(card int) string { return fmt.Sprintf("card%d", card) }

// network plugs in cards that lead nowhere: each is alone on its hub. Nothing can
// leave, but the cable can be pulled.
func network(c Config) []string {
	var args []string
	for i := range c.Cards {
		args = append(args, "-netdev", fmt.Sprintf("hubport,id=hub%d,hubid=%d", i, i),
			"-device", fmt.Sprintf("virtio-net-pci,id=%s,netdev=hub%d,mac=52:54:00:ca:15:%02x", cardID(i), i, i))
	}
	return args
}

func cache(d Disk) string {
	if d.Durable {
		return "writeback"
	}
	return "unsafe"
}

// channels are the serial line, the event port and QMP. QEMU is the client of
// each socket: the listener is there before the process starts, so that there
// is nothing to poll for.
func channels(c Config) []string {
	switch c.Console {
	case ConsoleStdio:
		return []string{"-chardev", "stdio,id=serial,mux=on,signal=off", "-serial", "chardev:serial", "-mon", "chardev=serial,mode=readline"}
	case ConsoleWindow:
		return []string{"-serial", "vc"}
	}
	return []string{
		"-chardev", "socket,id=serial,path=" + esc(c.file(serialSocket)) + ",logappend=on,logfile=" + esc(c.file(SerialLog)),
		"-serial", "chardev:serial",
		"-device", "virtio-serial-pci,id=ports",
		"-chardev", "socket,id=events,path=" + esc(c.file(eventSocket)),
		"-device", "virtserialport,bus=ports.0,chardev=events,name=" + EventPort,
		"-chardev", "file,id=journal,path=" + esc(c.file(JournalLog)),
		"-device", "virtserialport,bus=ports.0,chardev=journal,name=" + JournalPort,
		"-chardev", "socket,id=qmp,path=" + esc(c.file(qmpSocket)),
		"-mon", "chardev=qmp,mode=control",
	}
}

// esc doubles commas, which end a value in QEMU's option syntax.
func esc(s string) string { return strings.ReplaceAll(s, ",", ",,") }
