package iso9660

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// inode is one file or directory as found.
type inode struct {
	name, path string
	dir        bool
	mode       fs.FileMode // type and permission
	mod        time.Time
	size       int64
	parts      []Extent // adjacent extents are joined
	children   []*inode // sorted by name
}

// readDirectory fills d.children.
func (f *FS) readDirectory(d *inode) error {
	at := d.parts[0]
	bad := func(format string, args ...any) error {
		return Broken.New("cannot read directory %s: have %s", d.path, fmt.Sprintf(format, args...))
	}
	if at.Offset < SystemArea || at.Size <= 0 || at.Size > directoryMax || at.Offset+at.Size > f.volume {
		return bad("it at byte %d with %d bytes, need it within a medium of %d", at.Offset, at.Size, f.volume)
	}
	if f.seen[at.Offset] {
		return bad("it at byte %d, where another directory lies, need a tree", at.Offset)
	}
	f.seen[at.Offset] = true
	if f.spent += at.Size; f.spent > directoriesMax {
		return bad("more than %d bytes of directories, need fewer", directoriesMax)
	}
	b, err := f.read(at.Offset, at.Size)
	if err != nil {
		return err
	}
	var open *inode // a file whose last extent is still to come
	var openID string
	for i, n := 0, 0; i < len(b); n++ {
		length := int(b[i])
		if length == 0 { // the rest of the sector is unused
			i = (i/SectorSize + 1) * SectorSize
			continue
		}
		if i%SectorSize+length > SectorSize || i+length > len(b) {
			return bad("a record over a sector's edge at byte %d, need it within", i)
		}
		r, err := parseRecord(b[i : i+length])
		if err != nil {
			return bad("a record at byte %d with %v, need a whole one", i, err)
		}
		i += length
		if r.id == "\x00" || r.id == "\x01" {
			if d == f.root && r.id == "\x00" {
				f.detect(r)
			}
			continue
		}
		if r.flags&flagAssociated != 0 {
			continue
		}
		if e := r.extent(); e.Size > 0 && (e.Offset < SystemArea || e.Offset+e.Size > f.volume) {
			return bad("an entry at byte %d with %d bytes, need it within a medium of %d", e.Offset, e.Size, f.volume)
		}
		if open != nil && r.id != openID {
			return bad("a file %s whose last part is missing, need it whole", open.path)
		}
		child := open
		if child == nil {
			if child, err = f.child(d, r); err != nil {
				return err
			}
		}
		child.extend(r.extent())
		if open, openID = nil, r.id; r.flags&flagMore != 0 {
			if child.dir || len(child.parts) >= partsMax {
				return bad("an entry %s in too many parts, need fewer", child.path)
			}
			open = child
		}
	}
	if open != nil {
		return bad("a file %s whose last part is missing, need it whole", open.path)
	}
	slices.SortFunc(d.children, func(a, b *inode) int { return cmp.Compare(a.name, b.name) })
	return nil
}

func (n *inode) extend(e Extent) {
	n.size += e.Size
	if last := len(n.parts) - 1; last >= 0 && n.parts[last].Offset+n.parts[last].Size == e.Offset {
		n.parts[last].Size += e.Size
		return
	}
	n.parts = append(n.parts, e)
}

// child makes the inode of a record and adds it to d.
func (f *FS) child(d *inode, r rawRecord) (*inode, error) {
	n := &inode{dir: r.flags&flagDir != 0, mod: r.date, mode: 0o444}
	if n.dir {
		n.mode = 0o555
	}
	name, _, _ := strings.Cut(r.id, ";")
	n.name = strings.TrimSuffix(name, ".")
	if f.rockRidge {
		if err := f.rock(n, r.susp); err != nil {
			return nil, err
		}
	}
	if n.dir {
		n.mode |= fs.ModeDir
	}
	n.path = n.name
	if d != f.root {
		n.path = d.path + "/" + n.name
	}
	if !utf8.ValidString(n.name) || n.name == "" || n.name == "." || n.name == ".." || strings.ContainsAny(n.name, "/\x00") {
		return nil, Broken.New("cannot read directory %s: have an entry named %q, need a plain name", d.path, n.name)
	}
	if path.Clean(n.path) != n.path || f.byPath[n.path] != nil {
		return nil, Broken.New("cannot read directory %s: have two entries named %q, need one", d.path, n.name)
	}
	if len(f.byPath) >= entriesMax {
		return nil, Broken.New("cannot read the medium: have more than %d entries, need fewer", entriesMax)
	}
	f.byPath[n.path] = n
	d.children = append(d.children, n)
	return n, nil
}

// detect looks for SP, the mark of SUSP, in the root's own record.
func (f *FS) detect(r rawRecord) {
	if s := r.susp; len(s) >= 7 && string(s[:2]) == "SP" && s[4] == 0xBE && s[5] == 0xEF {
		f.rockRidge, f.skip = true, int(s[6])
	}
}

// rock reads the Rock Ridge fields of one record.
func (f *FS) rock(n *inode, area []byte) error {
	if f.skip <= len(area) {
		area = area[f.skip:]
	}
	name, named := "", false
	for hop := 0; ; hop++ {
		var more []byte
		for len(area) >= 4 {
			length := int(area[2])
			if length < 4 || length > len(area) {
				return Broken.New("cannot read entry %q: have a Rock Ridge field of %d bytes in %d, need it within", n.name, length, len(area))
			}
			field := area[:length]
			area = area[length:]
			switch sig := string(field[:2]); {
			case sig == "NM" && length >= 5 && field[4]&^1 == 0:
				name, named = name+string(field[5:]), true
			case sig == "PX" && length >= 20:
				n.mode = unixMode(binary.LittleEndian.Uint32(field[4:]), n.dir)
			case sig == "TF" && length >= 12 && field[4]&0x83 == 0x02:
				n.mod = parseDate(field[5:12])
			case sig == "CL" || sig == "RE" || sig == "PL":
				return Foreign.New("cannot read entry %q: have a relocated directory, need a tree without", n.name)
			case sig == "CE" && length == 28:
				var err error
				if more, err = f.continued(field); err != nil {
					return err
				}
			case sig == "ST":
				area = nil
			}
		}
		if more == nil {
			break
		}
		if hop >= continuesMax {
			return Broken.New("cannot read entry %q: have more than %d continuations, need fewer", n.name, continuesMax)
		}
		area = more
	}
	if named {
		if len(name) > 255 {
			return Broken.New("cannot read entry %q: have a name of %d bytes, need 255 or fewer", n.name, len(name))
		}
		n.name = name
	}
	return nil
}

// continued reads the area that a CE field points to.
func (f *FS) continued(field []byte) ([]byte, error) {
	le := binary.LittleEndian
	off := int64(le.Uint32(field[4:]))*SectorSize + int64(le.Uint32(field[12:]))
	size := int64(le.Uint32(field[20:]))
	if size > areaMax || off+size > f.volume {
		return nil, Broken.New("cannot read a continuation area: have %d bytes at %d, need them within a medium of %d", size, off, f.volume)
	}
	if f.spent += size; f.spent > directoriesMax {
		return nil, Broken.New("cannot read the medium: have more than %d bytes of directories, need fewer", directoriesMax)
	}
	return f.read(off, size)
}

// unixMode keeps type and permission; the type must not contradict the record.
func unixMode(m uint32, dir bool) fs.FileMode {
	mode := fs.FileMode(m & 0o777)
	switch kind := m & 0o170000; {
	case dir, kind == 0o100000, kind == 0:
		return mode
	case kind == 0o120000:
		return mode | fs.ModeSymlink
	default:
		return mode | fs.ModeIrregular
	}
}
