// Package gpt encodes and reads GUID partition tables with their protective
// MBR (UEFI 2.10, section 5.3), as a value: bytes in, bytes out. The hybrid ISO
// and the installer's disk layout both use it; neither lets another program
// choose numbers for it, so that equal input gives equal bytes.
//
// It leaves out: sectors of 4096 bytes, more than 128 entries when writing,
// boot code (the caller may fill the first 440 bytes of Primary), and all I/O
// but the reads of Parse. It is a leaf next to internal/fault.
package gpt

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"
	"unicode/utf16"
)

// Geometry of the tables this package writes.
const (
	SectorSize = 512 // bytes in an LBA
	entrySize  = 128 // bytes in an entry
	entryCount = 128 // entries in a table written here
	headerSize = 92  // bytes under the header's checksum

	arraySectors = entryCount * entrySize / SectorSize // 32
	// PrimarySectors is what Primary covers: MBR, header, entries.
	PrimarySectors = 2 + arraySectors
	// BackupSectors is what Backup covers: entries, header.
	BackupSectors = 1 + arraySectors
	// NameUnits is the longest partition name, in UTF-16 units.
	NameUnits = 36
)

const signature = "EFI PART"

// Table is one disk's partitioning. The zero GUIDs are refused.
type Table struct {
	DiskGUID   GUID        `json:"diskGUID"`
	Sectors    int64       `json:"sectors"` // size of the disk in sectors of 512 bytes
	Partitions []Partition `json:"partitions"`
	// Damaged says in words which of the two copies Parse found damaged and
	// what is wrong with it; "" when both are whole. It is not written.
	Damaged string `json:"-"`
}

// Partition is one used entry. First and Last are LBAs, both inclusive.
type Partition struct {
	Name  string `json:"name"` // at most 36 UTF-16 units
	Type  GUID   `json:"type"`
	GUID  GUID   `json:"guid"`
	First int64  `json:"first"`
	Last  int64  `json:"last"`
	Attrs uint64 `json:"attrs,omitempty"`
}

// Sectors is the partition's size in sectors of 512 bytes.
func (p Partition) Sectors() int64 { return p.Last - p.First + 1 }

// FirstUsable and LastUsable are the LBAs between which partitions may lie.
func (t Table) FirstUsable() int64 { return PrimarySectors }

// LastUsable is the last LBA before the backup table.
func (t Table) LastUsable() int64 { return t.Sectors - BackupSectors - 1 }

// Primary is LBA 0 to 33: protective MBR with boot code zero, header, entries.
func (t Table) Primary() ([]byte, error) {
	array, err := t.array()
	if err != nil {
		return nil, err
	}
	out := protectiveMBR(t.Sectors)
	out = append(out, t.header(array, 1, t.Sectors-1, 2)...)
	return append(out, array...), nil
}

// Backup is the last 33 LBAs of the disk: entries, then header.
func (t Table) Backup() ([]byte, error) {
	array, err := t.array()
	if err != nil {
		return nil, err
	}
	return append(array, t.header(array, t.Sectors-1, 1, t.Sectors-BackupSectors)...), nil
}

func (t Table) array() ([]byte, error) {
	if err := t.check(entryCount, t.FirstUsable(), t.LastUsable()); err != nil {
		return nil, err
	}
	out := make([]byte, entryCount*entrySize)
	for i, p := range t.Partitions {
		e := out[i*entrySize:][:entrySize]
		copy(e, p.Type[:])
		copy(e[16:], p.GUID[:])
		binary.LittleEndian.PutUint64(e[32:], uint64(p.First))
		binary.LittleEndian.PutUint64(e[40:], uint64(p.Last))
		binary.LittleEndian.PutUint64(e[48:], p.Attrs)
		for j, u := range utf16.Encode([]rune(p.Name)) {
			binary.LittleEndian.PutUint16(e[56+2*j:], u)
		}
	}
	return out, nil
}

// header is the table header of UEFI 2.10 table 5.5, padded to a sector.
func (t Table) header(array []byte, own, other, entries int64) []byte {
	b := make([]byte, SectorSize)
	le := binary.LittleEndian
	copy(b, signature)
	le.PutUint32(b[8:], 0x00010000)
	le.PutUint32(b[12:], headerSize)
	le.PutUint64(b[24:], uint64(own))
	le.PutUint64(b[32:], uint64(other))
	le.PutUint64(b[40:], uint64(t.FirstUsable()))
	le.PutUint64(b[48:], uint64(t.LastUsable()))
	copy(b[56:], t.DiskGUID[:])
	le.PutUint64(b[72:], uint64(entries))
	le.PutUint32(b[80:], entryCount)
	le.PutUint32(b[84:], entrySize)
	le.PutUint32(b[88:], crc32.ChecksumIEEE(array))
	le.PutUint32(b[16:], crc32.ChecksumIEEE(b[:headerSize]))
	return b
}

// protectiveMBR is UEFI 2.10 section 5.2.3: one entry of type 0xEE over all.
func protectiveMBR(sectors int64) []byte {
	b := make([]byte, SectorSize)
	e := b[446:]
	copy(e, []byte{0x00, 0x00, 0x02, 0x00, 0xEE, 0xFF, 0xFF, 0xFF})
	binary.LittleEndian.PutUint32(e[8:], 1)
	binary.LittleEndian.PutUint32(e[12:], uint32(min(sectors-1, math.MaxUint32)))
	b[510], b[511] = 0x55, 0xAA
	return b
}

// check holds a table against the rules that both directions share.
func (t Table) check(most int, first, last int64) error {
	need := int64(PrimarySectors + BackupSectors + 1)
	if t.Sectors < need || t.Sectors > math.MaxInt64/SectorSize {
		return Invalid.New("cannot lay out a partition table: have a disk of %d sectors, need %d or more", t.Sectors, need)
	}
	if t.DiskGUID == (GUID{}) {
		return Invalid.New("cannot lay out a partition table: have no disk GUID, need one")
	}
	if len(t.Partitions) > most {
		return Invalid.New("cannot lay out a partition table: have %d partitions, need %d or fewer", len(t.Partitions), most)
	}
	seen := map[GUID]string{}
	for _, p := range t.Partitions {
		switch {
		case p.Type == GUID{} || p.GUID == GUID{}:
			return Invalid.New("cannot lay out partition %q: have type %s and GUID %s, need both", p.Name, p.Type, p.GUID)
		case p.First < first || p.Last > last || p.First > p.Last:
			return Invalid.New("cannot lay out partition %q: have LBA %d to %d, need a range within %d to %d", p.Name, p.First, p.Last, first, last)
		case seen[p.GUID] != "":
			return Invalid.New("cannot lay out partition %q: have GUID %s of %s, need one of its own", p.Name, p.GUID, seen[p.GUID])
		case len(utf16.Encode([]rune(p.Name))) > NameUnits:
			return Invalid.New("cannot lay out partition %q: have a name of %d UTF-16 units, need %d or fewer", p.Name, len(utf16.Encode([]rune(p.Name))), NameUnits)
		}
		seen[p.GUID] = "partition \"" + p.Name + "\""
	}
	order := slices.Clone(t.Partitions)
	slices.SortFunc(order, func(a, b Partition) int { return int(min(max(a.First-b.First, -1), 1)) })
	for i := 1; i < len(order); i++ {
		if a, b := order[i-1], order[i]; b.First <= a.Last {
			return Invalid.New("cannot lay out partition %q: have it begin at LBA %d, need %d or later, behind %q", b.Name, b.First, a.Last+1, a.Name)
		}
	}
	return nil
}
