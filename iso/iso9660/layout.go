package iso9660

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// Volume is what a file system is planned from.
type Volume struct {
	Label       string // 1 to 32 of A-Z 0-9 _
	Application string // up to 128 characters: what made it
	Epoch       int64  // Unix seconds: the only time in the image; 1980 or later
	Entries     []Entry
	Boot        []Boot // El Torito images; the first is the default entry
	Tail        int64  // bytes to reserve at the very end (the backup GPT)
	Align       int64  // the image's size becomes a multiple of this; 0: one sector
}

// Entry is one file. The data lies on the medium in the order of the entries.
type Entry struct {
	Path  string // slash-separated, relative
	Size  int64  // bytes
	Align int64  // data begins at a multiple of this; 0: chosen by size
}

// Layout says where everything lies. It is immutable.
type Layout struct {
	volume  Volume
	root    *node
	dirs    []*node // in path table order
	files   []*node // in data order
	byPath  map[string]*node
	catalog int64 // sectors
	er      int64
	lPath   int64
	mPath   int64
	size    int64 // bytes
}

// Extent is where a file's data lies, bytes.
type Extent struct{ Offset, Size int64 }

type node struct {
	name, path, id string
	dir            bool
	parent         *node
	children       []*node // directories: sorted by identifier
	number         int     // directories: place in the path table, from 1
	sector         int64
	size           int64 // bytes
	align          int64
}

// Plan fixes the place of every byte. It looks at names and sizes only.
func Plan(v Volume) (*Layout, error) {
	if err := checkVolume(v); err != nil {
		return nil, err
	}
	l := &Layout{volume: v, root: &node{dir: true, id: "\x00"}, byPath: map[string]*node{}}
	l.root.parent = l.root
	l.byPath[""] = l.root
	for _, e := range v.Entries {
		if err := l.add(e); err != nil {
			return nil, err
		}
	}
	if err := l.order(); err != nil {
		return nil, err
	}
	for _, b := range v.Boot {
		if n := l.byPath[b.Path]; n == nil || n.dir {
			return nil, BadEntry.New("cannot boot from %q: have no such file on the medium, need one", b.Path)
		}
	}
	return l, l.place()
}

func checkVolume(v Volume) error {
	if err := checkLabel(v.Label); err != nil {
		return err
	}
	const y1980, y2155 = 315532800, 5869583999 // what both FAT and the 7-byte dates of ECMA-119 hold
	if v.Epoch < y1980 || v.Epoch > y2155 {
		return BadEntry.New("cannot date the medium: have %d, need Unix seconds of the years 1980 to 2155", v.Epoch)
	}
	if len(v.Application) > 128 || strings.ContainsFunc(v.Application, func(r rune) bool { return r < ' ' || r > '~' }) {
		return BadEntry.New("cannot name the application %q: need up to 128 printable ASCII characters", v.Application)
	}
	if v.Tail < 0 || v.Align < 0 || v.Align%SectorSize != 0 {
		return BadEntry.New("cannot lay out the medium: have a tail of %d and a size step of %d, need whole sectors of %d", v.Tail, v.Align, SectorSize)
	}
	return nil
}

func (l *Layout) add(e Entry) error {
	if err := checkPath(e.Path); err != nil {
		return err
	}
	if e.Size < 0 || e.Align < 0 || e.Align%SectorSize != 0 {
		return BadEntry.New("cannot lay out file %q: have size %d and alignment %d, need 0 or more and whole sectors", e.Path, e.Size, e.Align)
	}
	if l.byPath[e.Path] != nil {
		return BadEntry.New("cannot lay out file %q: have it twice, need it once", e.Path)
	}
	n := &node{name: path.Base(e.Path), path: e.Path, size: e.Size, align: e.Align}
	if n.align == 0 {
		n.align = SectorSize
		if n.size >= bigFile {
			n.align = bigAlign
		}
	}
	l.files = append(l.files, n)
	for child := n; ; {
		child.id = identifier(child.name, child.dir)
		l.byPath[child.path] = child
		up := path.Dir(child.path)
		if up == "." {
			up = ""
		}
		parent, known := l.byPath[up]
		if !known {
			parent = &node{name: path.Base(up), path: up, dir: true}
		} else if !parent.dir {
			return BadEntry.New("cannot lay out file %q: have %q as a file, need it as a directory", e.Path, up)
		}
		child.parent = parent
		parent.children = append(parent.children, child)
		if known {
			return nil
		}
		child = parent
	}
}

// order sorts each directory by identifier (ECMA-119 section 9.3) and numbers
// the directories as the path table wants them: by depth, parent, identifier.
func (l *Layout) order() error {
	for queue := []*node{l.root}; len(queue) > 0; queue = queue[1:] {
		d := queue[0]
		l.dirs = append(l.dirs, d)
		d.number = len(l.dirs)
		slices.SortFunc(d.children, func(a, b *node) int { return cmp.Compare(sortKey(a.id), sortKey(b.id)) })
		for i, c := range d.children {
			if i > 0 && c.id == d.children[i-1].id {
				return BadEntry.New("cannot lay out %q and %q: have one identifier %s for both, need two", d.children[i-1].path, c.path, c.id)
			}
			if c.dir {
				queue = append(queue, c)
			}
		}
	}
	if len(l.dirs) > 1<<16-1 {
		return BadEntry.New("cannot lay out the medium: have %d directories, need %d or fewer", len(l.dirs), 1<<16-1)
	}
	return nil
}

// sortKey pads the name before the dot, as the sorting rule of the format does.
func sortKey(id string) string {
	stem, ext, _ := strings.Cut(id, ".")
	return stem + strings.Repeat(" ", max(0, 32-len(stem))) + ext
}

// place gives out sectors, in the order in which they will be written.
func (l *Layout) place() error {
	next := int64(SystemArea/SectorSize) + 2 // volume descriptor, terminator
	take := func(bytes int64) int64 {
		at := next
		next += sectors(bytes)
		return at
	}
	if len(l.volume.Boot) > 0 {
		next++ // boot record
		l.catalog = take(SectorSize)
	}
	l.er = take(SectorSize)
	for _, d := range l.dirs {
		d.size = directorySize(d)
		d.sector = take(d.size)
	}
	table := int64(len(pathTable(l.dirs, false)))
	l.lPath, l.mPath = take(table), take(table)
	for _, f := range l.files {
		next = sectors(roundUp(next*SectorSize, f.align))
		f.sector = take(f.size)
	}
	l.size = roundUp(next*SectorSize+l.volume.Tail, max(l.volume.Align, SectorSize))
	if l.size/SectorSize >= 1<<32 {
		return BadEntry.New("cannot lay out the medium: have %d sectors, need fewer than 2^32", l.size/SectorSize)
	}
	return nil
}

// Size is the image's size in bytes.
func (l *Layout) Size() int64 { return l.size }

// Find tells where a file's data lies.
func (l *Layout) Find(p string) (Extent, bool) {
	n := l.byPath[p]
	if n == nil || n.dir {
		return Extent{}, false
	}
	return Extent{n.sector * SectorSize, n.size}, true
}

func sectors(bytes int64) int64       { return (bytes + SectorSize - 1) / SectorSize }
func roundUp(bytes, step int64) int64 { return (bytes + step - 1) / step * step }
