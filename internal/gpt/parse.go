package gpt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"unicode/utf16"
)

// mostArray bounds the entries read from a foreign disk: 1024 of them. Tools in
// use write 128; the specification sets no upper bound.
const mostArray = 1024 * entrySize

// Parse reads the table of a disk of the given number of 512-byte sectors. It
// checks both copies' checksums, positions, bounds and overlaps. If one copy is
// damaged it takes the other and says so in Table.Damaged; if both are, it
// fails. A disk larger than its table (an image written to a bigger stick) is
// fine: Table.Sectors is then the table's own. Unused entries are skipped.
//
// Errors: Absent without a protective MBR, Damaged with no whole copy, or what
// r returns.
func Parse(r io.ReaderAt, sectors int64) (Table, error) {
	if sectors < PrimarySectors+BackupSectors+1 {
		return Table{}, Absent.New("cannot read a partition table: have %d sectors, need %d or more", sectors, PrimarySectors+BackupSectors+1)
	}
	mbr, err := read(r, 0, SectorSize)
	if err != nil {
		return Table{}, err
	}
	if !protective(mbr) {
		return Table{}, Absent.New("cannot read a GUID partition table: have no protective MBR entry of type 0xEE in sector 0, need one")
	}
	primary, perr := parseCopy(r, sectors, 1)
	end := sectors - 1
	if perr == nil {
		end = primary.Sectors - 1
	}
	backup, berr := parseCopy(r, sectors, end)
	switch {
	case perr == nil && berr == nil && !same(primary, backup):
		primary.Damaged = "the backup table differs from the primary table"
	case perr == nil && berr != nil:
		primary.Damaged = "backup table: " + berr.Error()
	case perr != nil && berr == nil:
		backup.Damaged = "primary table: " + perr.Error()
		return backup, nil
	case perr != nil:
		return Table{}, Damaged.New("cannot read the partition table: have a damaged primary (%v) and backup (%w), need one whole copy", perr, berr)
	}
	return primary, nil
}

// same compares what was written, not what was found out about it.
func same(a, b Table) bool {
	if a.DiskGUID != b.DiskGUID || a.Sectors != b.Sectors || len(a.Partitions) != len(b.Partitions) {
		return false
	}
	for i := range a.Partitions {
		if a.Partitions[i] != b.Partitions[i] {
			return false
		}
	}
	return true
}

func protective(mbr []byte) bool {
	if mbr[510] != 0x55 || mbr[511] != 0xAA {
		return false
	}
	for i := 446; i < 510; i += 16 {
		if mbr[i+4] == 0xEE {
			return true
		}
	}
	return false
}

// parseCopy reads the header at LBA own and the entries it names. Its errors
// are plain: Parse says which copy they are about.
func parseCopy(r io.ReaderAt, sectors, own int64) (Table, error) {
	b, err := read(r, own, SectorSize)
	if err != nil {
		return Table{}, err
	}
	le := binary.LittleEndian
	if string(b[:8]) != signature {
		return Table{}, fmt.Errorf("no header at LBA %d", own)
	}
	size := le.Uint32(b[12:])
	if size < headerSize || size > SectorSize {
		return Table{}, fmt.Errorf("header of %d bytes, want %d to %d", size, headerSize, SectorSize)
	}
	sum := le.Uint32(b[16:])
	le.PutUint32(b[16:], 0)
	if got := crc32.ChecksumIEEE(b[:size]); got != sum {
		return Table{}, fmt.Errorf("header checksum %08x, want %08x", got, sum)
	}
	if v := le.Uint64(b[24:]); v != uint64(own) {
		return Table{}, fmt.Errorf("header at LBA %d says that it lies at %d", own, v)
	}
	other, array := le.Uint64(b[32:]), le.Uint64(b[72:])
	count, each := le.Uint32(b[80:]), le.Uint32(b[84:])
	if each != entrySize || count == 0 || uint64(count)*entrySize > mostArray {
		return Table{}, fmt.Errorf("%d entries of %d bytes, want 1 to %d of %d", count, each, mostArray/entrySize, entrySize)
	}
	bytes := int64(count) * entrySize
	length := (bytes + SectorSize - 1) / SectorSize
	last := uint64(own)
	if own == 1 {
		last = other
	}
	if last < PrimarySectors || last >= uint64(sectors) || array > last || array < 2 || (own != 1 && other != 1) {
		return Table{}, fmt.Errorf("table lies at LBA 1, %d and %d of a disk of %d", array, last, sectors)
	}
	t := Table{Sectors: int64(last) + 1}
	copy(t.DiskGUID[:], b[56:])
	first, end := le.Uint64(b[40:]), le.Uint64(b[48:])
	if first < 2 || first > last || end < first || end >= last ||
		(own == 1 && array+uint64(length) > first) || (own != 1 && (array <= end || array+uint64(length) > last)) {
		return Table{}, fmt.Errorf("usable range LBA %d to %d and entries at %d of a disk of %d", first, end, array, t.Sectors)
	}
	entries, err := read(r, int64(array), length*SectorSize)
	if err != nil {
		return Table{}, err
	}
	if got, want := crc32.ChecksumIEEE(entries[:bytes]), le.Uint32(b[88:]); got != want {
		return Table{}, fmt.Errorf("checksum of the entries %08x, want %08x", got, want)
	}
	for e := entries[:bytes]; len(e) > 0; e = e[entrySize:] {
		if p, used := parseEntry(e); used {
			t.Partitions = append(t.Partitions, p)
		}
	}
	return t, t.check(int(count), int64(first), int64(end))
}

func parseEntry(e []byte) (Partition, bool) {
	var p Partition
	copy(p.Type[:], e)
	copy(p.GUID[:], e[16:])
	if p.Type == (GUID{}) {
		return p, false
	}
	p.First = int64(binary.LittleEndian.Uint64(e[32:]))
	p.Last = int64(binary.LittleEndian.Uint64(e[40:]))
	p.Attrs = binary.LittleEndian.Uint64(e[48:])
	var units []uint16
	for i := 0; i < NameUnits; i++ {
		u := binary.LittleEndian.Uint16(e[56+2*i:])
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	p.Name = string(utf16.Decode(units))
	return p, true
}

func read(r io.ReaderAt, lba, length int64) ([]byte, error) {
	b := make([]byte, length)
	n, err := r.ReadAt(b, lba*SectorSize)
	if int64(n) == length {
		return b, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return nil, fmt.Errorf("cannot read LBA %d: %w", lba, err)
}
