package iso9660

import (
	"encoding/binary"
	"time"
)

// The modes of Rock Ridge: a medium is read-only, and programs on it are copied
// to the node with the mode that the manifest states.
const (
	modeDir  = 0o040555
	modeFile = 0o100444
)

// piece is one extent of a file: the unit that has a directory record.
type piece struct {
	sector, size int64
	last         bool
}

// pieces splits what is longer than one extent. All but the last are whole
// sectors long and marked multi-extent (ECMA-119 section 9.1.6).
func (n *node) pieces() []piece {
	var out []piece
	for at, left := n.sector, n.size; ; {
		if left <= extentMax {
			return append(out, piece{at, left, true})
		}
		out = append(out, piece{at, extentMax, false})
		at, left = at+extentMax/SectorSize, left-extentMax
	}
}

// directorySize is what writeDirectory will fill, in whole sectors.
func directorySize(d *node) int64 {
	size := int64(0)
	add := func(length int) {
		if size%SectorSize+int64(length) > SectorSize {
			size = roundUp(size, SectorSize)
		}
		size += int64(length)
	}
	for _, length := range recordLengths(d) {
		add(length)
	}
	return roundUp(size, SectorSize)
}

func recordLengths(d *node) []int {
	out := []int{len(record("\x00", piece{}, true, 0, dotFields(d, 0))), len(record("\x01", piece{}, true, 0, dotFields(d.parent, 0)))}
	if d.number == 1 {
		out[0] = len(record("\x00", piece{}, true, 0, rootFields(d, 0, 0)))
	}
	for _, c := range d.children {
		length := len(record(c.id, piece{}, c.dir, 0, childFields(c, 0)))
		for range c.pieces() {
			out = append(out, length)
		}
	}
	return out
}

// directory is the content of d: ".", "..", then the children in order. A record
// never crosses a sector boundary.
func (l *Layout) directory(d *node) []byte {
	out := make([]byte, 0, d.size)
	add := func(r []byte) {
		if len(out)%SectorSize+len(r) > SectorSize {
			out = append(out, make([]byte, SectorSize-len(out)%SectorSize)...)
		}
		out = append(out, r...)
	}
	self := dotFields(d, l.volume.Epoch)
	if d == l.root {
		self = rootFields(d, l.volume.Epoch, l.er)
	}
	add(record("\x00", piece{d.sector, d.size, true}, true, l.volume.Epoch, self))
	add(record("\x01", piece{d.parent.sector, d.parent.size, true}, true, l.volume.Epoch, dotFields(d.parent, l.volume.Epoch)))
	for _, c := range d.children {
		for _, p := range c.pieces() {
			add(record(c.id, p, c.dir, l.volume.Epoch, childFields(c, l.volume.Epoch)))
		}
	}
	return append(out, make([]byte, d.size-int64(len(out)))...)
}

// record is a directory record, ECMA-119 section 9.1.
func record(id string, p piece, dir bool, epoch int64, susp []byte) []byte {
	b := make([]byte, 33, 254)
	both32(b[2:], uint32(p.sector))
	both32(b[10:], uint32(p.size))
	copy(b[18:], date7(epoch))
	if dir {
		b[25] |= 0x02
	}
	if !p.last {
		b[25] |= 0x80
	}
	both16(b[28:], 1)
	b[32] = byte(len(id))
	b = append(b, id...)
	if len(id)%2 == 0 {
		b = append(b, 0)
	}
	b = append(b, susp...)
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	b[0] = byte(len(b))
	return b
}

// childFields: attributes, modification time, name.
func childFields(n *node, epoch int64) []byte {
	return append(append(px(n), tf(epoch)...), nm(n.name)...)
}

func dotFields(n *node, epoch int64) []byte { return append(px(n), tf(epoch)...) }

// rootFields begin with SP, which marks the volume as one that uses SUSP, and
// end with CE, which points to the ER field (too long for a record).
func rootFields(n *node, epoch, er int64) []byte {
	out := []byte{'S', 'P', 7, 1, 0xBE, 0xEF, 0}
	out = append(append(out, px(n)...), tf(epoch)...)
	ce := make([]byte, 28)
	copy(ce, "CE\x1c\x01")
	both32(ce[4:], uint32(er))
	both32(ce[20:], uint32(len(erField())))
	return append(out, ce...)
}

// erField names the extension in use, RRIP 1.10 (SUSP 1.12 section 5.5).
func erField() []byte {
	const id = "RRIP_1991A"
	const text = "THE ROCK RIDGE INTERCHANGE PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS"
	const source = "PLEASE CONTACT DISC PUBLISHER FOR SPECIFICATION SOURCE.  SEE PUBLISHER IDENTIFIER IN PRIMARY VOLUME DESCRIPTOR FOR CONTACT INFORMATION."
	b := []byte{'E', 'R', byte(8 + len(id) + len(text) + len(source)), 1, byte(len(id)), byte(len(text)), byte(len(source)), 1}
	return append(b, id+text+source...)
}

// px is the POSIX attributes field, RRIP section 4.1.1; owner and group are 0.
func px(n *node) []byte {
	mode, links := uint32(modeFile), uint32(1)
	if n.dir {
		mode, links = modeDir, 2
		for _, c := range n.children {
			if c.dir {
				links++
			}
		}
	}
	b := make([]byte, 36)
	copy(b, "PX\x24\x01")
	both32(b[4:], mode)
	both32(b[12:], links)
	return b
}

// tf is the time field, RRIP section 4.1.6, with the modification time alone.
func tf(epoch int64) []byte {
	return append([]byte{'T', 'F', 12, 1, 0x02}, date7(epoch)...)
}

func nm(name string) []byte {
	return append([]byte{'N', 'M', byte(5 + len(name)), 1, 0}, name...)
}

// date7 is ECMA-119 section 9.1.5, always UTC.
func date7(epoch int64) []byte {
	t := time.Unix(epoch, 0).UTC()
	return []byte{byte(t.Year() - 1900), byte(t.Month()), byte(t.Day()), byte(t.Hour()), byte(t.Minute()), byte(t.Second()), 0}
}

// both32 and both16 write a number in both byte orders (ECMA-119 section 7.3.3).
func both32(b []byte, v uint32) {
	binary.LittleEndian.PutUint32(b, v)
	binary.BigEndian.PutUint32(b[4:], v)
}

func both16(b []byte, v uint16) {
	binary.LittleEndian.PutUint16(b, v)
	binary.BigEndian.PutUint16(b[2:], v)
}
