package machine

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"strings"
)

// headSize is how much of a disk's start is looked at: every signature below
// lies in it, and an unknown byte in it makes the disk "not blank".
const headSize = 1 << 20

type finding struct {
	holds []string
	label string // of an ISO 9660 volume
}

// signature is bytes at an offset that a format always has.
type signature struct {
	name   string
	offset int
	magic  string
}

// The offsets and magic numbers are those of each format's own documentation.
var signatures = []signature{
	{"LUKS volume", 0, "LUKS\xba\xbe"},
	{"xfs file system", 0, "XFSB"},
	{"squashfs file system", 0, "hsqs"},
	{"NTFS file system", 3, "NTFS    "},
	{"exFAT file system", 3, "EXFAT   "},
	{"FAT file system", 54, "FAT1"},
	{"FAT file system", 82, "FAT32"},
	{"LVM physical volume", 0, "LABELONE"},
	{"LVM physical volume", 512, "LABELONE"},
	{"ext2/3/4 file system", 1080, "\x53\xef"},
	{"swap space", 4086, "SWAPSPACE2"},
	{"Linux RAID member", 4096, "\xfc\x4e\x2b\xa9"},
	{"erofs file system", 1024, "\xe2\xe1\xf5\xe0"},
	{"ISO 9660 file system", 32769, "CD001"},
	{"btrfs file system", 65600, "_BHRfS_M"},
	{"LUKS volume (second header)", 16384, "SKUL\xba\xbe"},
}

// Detect names what a disk's first bytes (head, up to 1 MiB) and last sector
// (tail) hold. Nothing named means blank: all of head is zero and there is no
// backup partition table. It never fails: what it cannot name it calls data.
func Detect(head, tail []byte) []string { return detect(head, tail).holds }

func detect(head, tail []byte) finding {
	var f finding
	add := func(name string) {
		for _, h := range f.holds {
			if h == name {
				return
			}
		}
		f.holds = append(f.holds, name)
	}
	gpt := func(at int) bool { return at+8 <= len(head) && string(head[at:at+8]) == "EFI PART" }
	if gpt(512) || gpt(4096) {
		add("GPT partition table")
	} else if hasMBR(head) {
		add("MBR partition table")
	}
	for _, s := range signatures {
		if end := s.offset + len(s.magic); end <= len(head) && string(head[s.offset:end]) == s.magic {
			add(s.name)
		}
	}
	if len(head) > 32768+72 && string(head[32769:32774]) == "CD001" {
		f.label = strings.TrimSpace(string(head[32808:32840])) // ECMA-119 8.4.7, volume identifier
	}
	if len(f.holds) == 0 && bytes.Count(head, []byte{0}) < len(head) {
		add("data of an unknown kind")
	}
	if len(tail) >= 8 && string(tail[:8]) == "EFI PART" {
		add("backup GPT")
	}
	return f
}

// hasMBR sees a partition table of the MBR kind: the boot signature and at least
// one entry with a type (a FAT boot sector has the signature as well).
func hasMBR(head []byte) bool {
	if len(head) < 512 || binary.LittleEndian.Uint16(head[510:]) != 0xaa55 {
		return false
	}
	for i := 446; i < 510; i += 16 {
		if head[i]&0x7f == 0 && head[i+4] != 0 && binary.LittleEndian.Uint32(head[i+12:]) != 0 {
			return true
		}
	}
	return false
}

// scan reads the disk's start and end. A disk that cannot be read is not blank.
func scan(root fs.FS, d Disk) finding {
	unreadable := finding{holds: []string{"bytes that cannot be read"}}
	f, err := root.Open("dev/" + d.Name)
	if err != nil {
		return unreadable
	}
	defer f.Close()
	at, ok := f.(io.ReaderAt)
	if !ok {
		return unreadable
	}
	head := make([]byte, min(headSize, int64(d.Size)))
	if n, _ := at.ReadAt(head, 0); n < len(head) {
		return unreadable
	}
	sector := max(d.SectorSize, 512)
	tail := make([]byte, sector)
	if n, _ := at.ReadAt(tail, int64(d.Size)-int64(sector)); n < len(tail) {
		return unreadable
	}
	return detect(head, tail)
}
