package machine

import (
	"io/fs"
	"path"
	"strconv"
	"strings"

	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/nodeos"
)

// MediumLabel starts the volume label of every Caisson medium.
const MediumLabel = "CAISSON_"

// notDisks are kernel names of block devices that are no disk: they have no
// hardware of their own, or cannot be written.
var notDisks = []string{"loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd", "mtd"}

// disks lists the whole disks under /sys/block.
func disks(root fs.FS) ([]Disk, error) {
	entries, err := fs.ReadDir(root, "sys/block")
	if err != nil {
		return nil, nil // a machine with no block layer has no disks
	}
	ids, err := links(root, "dev/disk/by-id")
	if err != nil {
		return nil, ProbeFailed.New("cannot list /dev/disk/by-id: %w", err)
	}
	paths, err := links(root, "dev/disk/by-path")
	if err != nil {
		return nil, ProbeFailed.New("cannot list /dev/disk/by-path: %w", err)
	}
	medium := mediumSources(root)
	var out []Disk
	for _, e := range entries {
		if !isDisk(e.Name()) {
			continue
		}
		d := readDisk(root, e.Name())
		if d.Size == 0 {
			continue // an empty card reader slot
		}
		d.IDs, d.Paths = ids[d.Name], paths[d.Name]
		found := scan(root, d)
		d.Holds = append(found.holds, partitions(root, d.Name)...)
		d.Medium = found.label != "" && strings.HasPrefix(found.label, MediumLabel)
		for _, src := range append(partitionNames(root, d.Name), d.Name) {
			d.Medium = d.Medium || medium[src]
		}
		out = append(out, d)
	}
	return out, nil
}

func isDisk(name string) bool {
	for _, p := range notDisks {
		if strings.HasPrefix(name, p) {
			return false
		}
	}
	// nvme0c0n1 is one path of a multipath disk, not the disk.
	return !(strings.HasPrefix(name, "nvme") && strings.Contains(name[4:], "c"))
}

func readDisk(root fs.FS, name string) Disk {
	dir := path.Join("sys/block", name)
	d := Disk{
		Name:       name,
		Vendor:     text(root, dir+"/device/vendor"),
		Model:      text(root, dir+"/device/model"),
		Serial:     text(root, dir+"/serial"),
		Size:       size.Bytes(number(root, dir+"/size")) * 512, // always in 512-byte units
		SectorSize: int(number(root, dir+"/queue/logical_block_size")),
		Removable:  text(root, dir+"/removable") == "1",
		ReadOnly:   text(root, dir+"/ro") == "1",
		Transport:  transport(root, name),
	}
	if strings.HasPrefix(d.Vendor, "0x") {
		d.Vendor = "" // a PCI number (virtio), which tells a person nothing
	}
	if d.Serial == "" {
		d.Serial = text(root, dir+"/device/serial") // nvme, mmc
	}
	if d.Serial == "" {
		d.Serial = vpdSerial(root, dir+"/device/vpd_pg80")
	}
	udev := udevProperties(root, "b"+text(root, dir+"/dev"))
	if d.Serial == "" {
		d.Serial = udev["ID_SERIAL_SHORT"]
	}
	if d.Model == "" {
		d.Model = udev["ID_MODEL"]
	}
	return d
}

func number(root fs.FS, name string) int64 {
	n, err := strconv.ParseInt(text(root, name), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// vpdSerial reads SCSI vital product data page 0x80 (SPC-4, 7.8.14): four bytes
// of header, the last two the length, then the unit serial number.
func vpdSerial(root fs.FS, name string) string {
	b, err := fs.ReadFile(root, name)
	if err != nil || len(b) < 4 || b[1] != 0x80 {
		return ""
	}
	n := int(b[2])<<8 | int(b[3])
	if n > len(b)-4 {
		return ""
	}
	return strings.TrimSpace(strings.Trim(string(b[4:4+n]), "\x00"))
}

// udevProperties reads what udev recorded of a device: "b8:0", a block device by
// its numbers, or "n2", a network card by its index.
func udevProperties(root fs.FS, id string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text(root, "run/udev/data/"+id)) {
		if kv, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "E:"); ok {
			k, v, _ := strings.Cut(kv, "=")
			out[k] = v
		}
	}
	return out
}

// transport is read from the device's place in the tree: the bus nearest to it.
func transport(root fs.FS, name string) string {
	target, err := fs.ReadLink(root, "sys/block/"+name)
	if err != nil {
		target = name
	}
	for _, t := range []struct{ part, name string }{
		{"/usb", "usb"}, {"/nvme", "nvme"}, {"/ata", "ata"}, {"/mmc", "mmc"}, {"/virtio", "virtio"}, {"/host", "scsi"},
	} {
		if strings.Contains(target, t.part) {
			return t.name
		}
	}
	return ""
}

// partitionNames lists the kernel names of a disk's partitions.
func partitionNames(root fs.FS, name string) []string {
	entries, err := fs.ReadDir(root, "sys/block/"+name)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if _, err := fs.Stat(root, path.Join("sys/block", name, e.Name(), "partition")); err == nil {
			out = append(out, e.Name())
		}
	}
	return out
}

func partitions(root fs.FS, name string) []string {
	switch n := len(partitionNames(root, name)); n {
	case 0:
		return nil
	case 1:
		return []string{"1 partition"}
	default:
		return []string{strconv.Itoa(n) + " partitions"}
	}
}

// mediumSources are the kernel names mounted where the live system keeps its
// medium.
func mediumSources(root fs.FS) map[string]bool {
	out := map[string]bool{}
	for line := range strings.Lines(text(root, "proc/mounts")) {
		f := strings.Fields(line)
		if len(f) > 1 && f[1] == nodeos.LiveMedium && strings.HasPrefix(f[0], "/dev/") {
			name := path.Base(f[0])
			if target, err := fs.ReadLink(root, strings.TrimPrefix(f[0], "/")); err == nil {
				name = path.Base(target)
			}
			out[name] = true
		}
	}
	return out
}
