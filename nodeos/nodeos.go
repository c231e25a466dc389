// Package nodeos says what the node's operating system is, as values: the
// Debian packages it is made of, the names of disk partitions and mount points,
// kernel command lines, boot loader entries and the files of the EFI system
// partition. Both programs link it: caisson to gather and build, caisson-node to
// install and update.
//
// It runs nothing and opens nothing. Building the image is package
// nodeos/build, on the low side only; laying it down is the installer's.
package nodeos

import (
	"io/fs"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/size"
)

// The partitions of an installed disk, by GPT name.
const (
	ESP   = "ESP"
	SlotA = "SLOT_A"
	SlotB = "SLOT_B"
	State = "STATE"
)

// Paths on the node that more than one part of Caisson names.
const (
	NodeProgram  = "/usr/bin/caisson-node"
	IgnitionPath = "/usr/libexec/caisson/ignition"
	ESPMount     = "/efi"
	// LiveRoot is where the live boot has the OS image itself mounted, read-only.
	LiveRoot = "/run/rootfsbase"
	// LiveMedium is where the live boot has the medium mounted.
	LiveMedium = "/run/initramfs/live"
	// ConsoleLogin is a file that turns login prompts on, on screen and serial
	// line; a node whose users have no password does not need them.
	ConsoleLogin = "/etc/caisson/console-login"
	// Events is the virtio-serial port for events, where the machine has one.
	Events = "/dev/virtio-ports/org.caisson.events"
)

// Dir is a folder that must exist before the first boot, relative to STATE.
type Dir struct {
	Path string
	Mode fs.FileMode
	GID  int // group; the owner is root
}

// Bind is a writable place of the node whose content is on STATE.
type Bind struct {
	Name string // folder below STATE's bind/
	Path string // mount point on the node
	Mode fs.FileMode
}

// journalGroup is systemd-journal; its id is fixed (build: accounts).
const journalGroup = 999

// Binds are the writable places besides /var and /etc. The image's fstab mounts
// them (nodeos/build/tree/etc/fstab); sorted by Path.
func Binds() []Bind {
	return []Bind{
		{"home", "/home", 0o755},
		{"opt", "/opt", 0o755},
		{"root", "/root", 0o700},
		{"srv", "/srv", 0o755},
		{"libexec-kubernetes", "/usr/libexec/kubernetes", 0o755},
		{"usr-local", "/usr/local", 0o755},
	}
}

// StateDirs are the folders that STATE needs before the first boot: the initramfs
// cannot make the overlay's folders, and a bind needs its source.
func StateDirs() []Dir {
	dirs := []Dir{
		{Path: "etc", Mode: 0o755},
		{Path: "etc/upper", Mode: 0o755},
		{Path: "etc/work", Mode: 0o755},
		{Path: "bind", Mode: 0o755},
		{Path: "cache", Mode: 0o755},
		{Path: "lib", Mode: 0o755},
		{Path: "lib/caisson", Mode: 0o755},
		{Path: "log", Mode: 0o755},
		{Path: "log/journal", Mode: 0o755 | fs.ModeSetgid, GID: journalGroup},
		{Path: "spool", Mode: 0o755},
		{Path: "tmp", Mode: 0o777 | fs.ModeSticky},
	}
	for _, b := range Binds() {
		dirs = append(dirs, Dir{Path: "bind/" + b.Name, Mode: b.Mode})
	}
	return dirs
}

// EtcOptions are the overlay options for /etc below root ("" on the running
// node). Features that tie the upper layer to one image's inodes are off: the
// image below changes with every update.
func EtcOptions(root string) string {
	return "lowerdir=" + root + "/etc,upperdir=" + root + "/var/etc/upper,workdir=" + root +
		"/var/etc/work,redirect_dir=off,metacopy=off,index=off"
}

// SlotSize is how large a slot must be: the image with as much again, so that
// later versions fit, in whole GiB and at least 1 GiB.
func SlotSize(os bundle.OSImage) size.Bytes {
	return max(2*size.Bytes(os.Size), size.GiB).AlignUp(size.GiB)
}

// ESPSize holds three versions of kernel and initramfs beside the loaders, with
// room to spare: an update writes the new one before it removes the oldest.
const ESPSize = 512 * size.MiB
