package nodeos

import (
	"fmt"

	"caisson.dev/caisson/bundle"
)

// Words on the kernel line that Caisson's units and programs read.
const (
	LiveWord = "caisson.live"  // this is the live system of a medium
	SlotWord = "caisson.slot=" // "a" or "b": the slot that is running
)

// common holds for both boots. The serial line, as in ttyS0,115200, is last and so is
// /dev/console.
// gpt_auto: a node mounts what its kernel line and fstab name, and nothing that
// another disk offers by partition type. ssh_auto: no SSH server on sockets that
// nobody asked for (systemd-ssh-generator(8)).
func common(serial string) []string {
	return []string{"systemd.gpt_auto=no", "systemd.ssh_auto=no", "loglevel=4", "console=tty0", "console=" + serial}
}

// LiveArgs is the kernel line of a medium whose volume label is label (ISO 9660,
// up to 32 of A-Z 0-9 _) and whose OS image is the blob imageHex. The names are
// those of dracut's dmsquash-live (dracut.cmdline(7)).
//
// fstab=0: the image's fstab is the installed node's. rd.shell=0: an initramfs
// that cannot go on says why (dracut module caisson) and halts with that text on
// the screen; there is no shell without a login.
func LiveArgs(label, imageHex, serial string) []string {
	return append([]string{
		"root=live:CDLABEL=" + label,
		"rd.live.image",
		"rd.live.dir=" + bundle.BlobDir,
		"rd.live.squashimg=" + imageHex,
		"rd.live.overlay.overlayfs=1",
		"fstab=0", "rd.fstab=0",
		"rd.shell=0", "rd.emergency=halt",
		// The live system's caches are made anew with the image, never at boot.
		"systemd.condition_needs_update=no",
		LiveWord,
	}, common(serial)...)
}

// Disk is an installed disk as the kernel line names it: by partition GUID
// (lower case, with hyphens), so that two disks cannot be mixed up.
type Disk struct {
	Slot  string // "a" or "b"
	Image string // GUID of that slot's partition
	State string // GUID of STATE
	ESP   string // GUID of the ESP
}

// InstalledArgs is the kernel line that starts the image in a slot: root on
// dm-verity (systemd-veritysetup-generator(8)), STATE on /var from the initramfs
// on, the ESP on /efi. A damaged block or a failing initramfs restarts the
// machine, so that boot counting can fall back; a device that does not come is
// given up after systemd's own 90 s for every other device (dracut's default is
// to wait for ever).
func InstalledArgs(d Disk, os bundle.OSImage, serial string) []string {
	return append([]string{
		"root=/dev/mapper/root", "ro", "rootfstype=squashfs",
		"roothash=" + os.RootHash,
		"systemd.verity_root_data=PARTUUID=" + d.Image,
		"systemd.verity_root_hash=PARTUUID=" + d.Image,
		fmt.Sprintf("systemd.verity_root_options=hash-offset=%d,panic-on-corruption", os.HashOffset),
		"systemd.mount-extra=PARTUUID=" + d.State + ":/var:ext4:rw,nodev,x-initrd.mount",
		"systemd.mount-extra=PARTUUID=" + d.ESP + ":" + ESPMount + ":vfat:umask=0077,nodev,nosuid,noexec,nofail",
		"rd.timeout=90", "rd.retry=60",
		"panic=5", "rd.shell=0", "rd.emergency=reboot",
		SlotWord + d.Slot,
	}, common(serial)...)
}
