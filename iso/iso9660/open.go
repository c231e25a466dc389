package iso9660

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// What a medium of unknown origin may ask of this program's memory and time.
const (
	entriesMax     = 1 << 18   // files and directories
	directoryMax   = 16 << 20  // bytes of one directory
	directoriesMax = 256 << 20 // bytes of all directories
	descriptorsMax = 64
	partsMax       = 4096 // extents of one file: 16 TiB
	continuesMax   = 16   // continuation areas of one record
	areaMax        = 64 << 10
)

// Open reads the descriptors and every directory of the file system that begins
// at offset 0 of r, a file or device of size bytes. All extents are known to lie
// within the medium when it returns; file contents are not looked at.
//
// Errors: Foreign, Truncated, Broken, or what r returns.
func Open(r io.ReaderAt, size int64) (*FS, error) {
	f := &FS{r: r, size: size, seen: map[int64]bool{}}
	pvd, err := f.descriptor()
	if err != nil {
		return nil, err
	}
	f.label = strings.TrimRight(string(pvd[40:72]), " \x00")
	f.application = strings.TrimRight(string(pvd[574:702]), " \x00")
	root, err := parseRecord(pvd[156:190])
	if err != nil || root.flags&flagDir == 0 {
		return nil, Broken.New("cannot read the root directory: have a broken record (%v), need a directory", err)
	}
	f.root = &inode{path: ".", name: ".", dir: true, mode: 0o555, mod: root.date, parts: []Extent{root.extent()}}
	f.root.size = f.root.parts[0].Size
	f.byPath = map[string]*inode{".": f.root}
	type level struct {
		dir   *inode
		depth int
	}
	for queue := []level{{f.root, 0}}; len(queue) > 0; queue = queue[1:] {
		d := queue[0]
		if d.depth > depthMax {
			return nil, Broken.New("cannot read directory %s: have more than %d levels, need fewer", d.dir.path, depthMax)
		}
		if err := f.readDirectory(d.dir); err != nil {
			return nil, err
		}
		for _, c := range d.dir.children {
			if c.dir {
				queue = append(queue, level{c, d.depth + 1})
			}
		}
	}
	f.seen = nil
	return f, nil
}

// descriptor finds the primary volume descriptor and holds it against the size.
func (f *FS) descriptor() ([]byte, error) {
	for i := int64(0); i < descriptorsMax; i++ {
		b, err := f.read(SystemArea+i*SectorSize, SectorSize)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, err
		}
		if err != nil || string(b[1:6]) != "CD001" || b[6] != 1 {
			return nil, Foreign.New("cannot read the medium: have no ISO 9660 descriptor in sector %d of %d, need one", 16+i, f.size/SectorSize).
				Hint("this is not an ISO image, or it was cut to almost nothing")
		}
		if b[0] == 0xFF {
			break
		}
		if b[0] != 1 {
			continue
		}
		if block := binary.LittleEndian.Uint16(b[128:]); block != SectorSize {
			return nil, Foreign.New("cannot read the medium: have blocks of %d bytes, need %d", block, SectorSize)
		}
		f.volume = int64(binary.LittleEndian.Uint32(b[80:])) * SectorSize
		if f.volume > f.size {
			return nil, Truncated.New("cannot read the medium: have %d bytes, need %d", f.size, f.volume).
				Hint("the copy was cut short: copy or download the ISO again and compare its SHA-256")
		}
		return b, nil
	}
	return nil, Foreign.New("cannot read the medium: have no primary volume descriptor, need one")
}

// read reads exactly size bytes at off; beyond the end is io.ErrUnexpectedEOF.
func (f *FS) read(off, size int64) ([]byte, error) {
	if off < 0 || size < 0 || off > f.size-size {
		return nil, io.ErrUnexpectedEOF
	}
	b := make([]byte, size)
	if n, err := f.r.ReadAt(b, off); int64(n) < size {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("cannot read the medium at byte %d: %w", off, err)
	}
	return b, nil
}

const (
	flagDir        = 0x02
	flagAssociated = 0x04
	flagMore       = 0x80 // multi-extent: the next record goes on
)

// rawRecord is a directory record as it stands, with bounds checked.
type rawRecord struct {
	sector, size uint32
	date         time.Time
	flags        byte
	id           string
	susp         []byte
}

func (r rawRecord) extent() Extent { return Extent{int64(r.sector) * SectorSize, int64(r.size)} }

// parseRecord reads the one record that fills b.
func parseRecord(b []byte) (rawRecord, error) {
	var r rawRecord
	if len(b) < 34 || int(b[0]) != len(b) || 33+int(b[32]) > len(b) || b[32] == 0 {
		return r, errors.New("lengths that contradict each other")
	}
	r.sector, r.size = binary.LittleEndian.Uint32(b[2:]), binary.LittleEndian.Uint32(b[10:])
	if r.sector != binary.BigEndian.Uint32(b[6:]) || r.size != binary.BigEndian.Uint32(b[14:]) {
		return r, errors.New("numbers that differ in their two byte orders")
	}
	if b[1] != 0 || b[26] != 0 || b[27] != 0 {
		return r, errors.New("extended attributes or interleaving, which this reader does not know")
	}
	r.date = parseDate(b[18:25])
	r.flags, r.id = b[25], string(b[33:33+int(b[32])])
	at := 33 + len(r.id)
	at += 1 - len(r.id)%2
	if at < len(b) {
		r.susp = b[at:]
	}
	return r, nil
}

// parseDate reads the 7-byte date; a wrong one is the zero time.
func parseDate(b []byte) time.Time {
	if b[1] < 1 || b[1] > 12 || b[2] < 1 || b[2] > 31 || b[3] > 23 || b[4] > 59 || b[5] > 60 {
		return time.Time{}
	}
	zone := time.Duration(int8(b[6])) * 15 * time.Minute
	return time.Date(1900+int(b[0]), time.Month(b[1]), int(b[2]), int(b[3]), int(b[4]), int(b[5]), 0, time.UTC).Add(-zone)
}
