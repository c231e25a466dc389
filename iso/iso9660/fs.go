package iso9660

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"slices"
	"time"
)

// FS is an opened file system. It implements fs.FS, fs.ReadDirFS and fs.StatFS.
// It may be used from several goroutines at once if its reader may.
type FS struct {
	r           io.ReaderAt
	size        int64 // of the medium
	volume      int64 // of the file system, bytes
	label       string
	application string
	rockRidge   bool
	skip        int // bytes before the SUSP fields of a record
	root        *inode
	byPath      map[string]*inode
	seen        map[int64]bool // directories already read, while opening
	spent       int64          // bytes of directories read
}

// Label is the volume's label.
func (f *FS) Label() string { return f.label }

// Application is the text in which the writer named itself.
func (f *FS) Application() string { return f.application }

// Size is the length of the file system in bytes, as it states itself; a medium
// may be longer.
func (f *FS) Size() int64 { return f.volume }

// Files lists every entry that is not a directory in the order of its data: who
// reads them so reads the medium once from begin to end.
func (f *FS) Files() []string {
	var all []*inode
	for _, n := range f.byPath {
		if !n.dir {
			all = append(all, n)
		}
	}
	slices.SortFunc(all, func(a, b *inode) int {
		return cmp.Or(cmp.Compare(a.offset(), b.offset()), cmp.Compare(a.path, b.path))
	})
	out := make([]string, len(all))
	for i, n := range all {
		out[i] = n.path
	}
	return out
}

func (n *inode) offset() int64 { return n.parts[0].Offset }

// Extents tells where a file's data lies; parts that touch are one Extent.
func (f *FS) Extents(name string) ([]Extent, error) {
	n, err := f.find("extents", name)
	if err != nil {
		return nil, err
	}
	return slices.Clone(n.parts), nil
}

func (f *FS) find(op, name string) (*inode, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n := f.byPath[name]
	if n == nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return n, nil
}

// Open opens a file or directory. A regular file is also an io.ReaderAt and an
// io.Seeker. Symbolic links and devices are not followed or opened.
func (f *FS) Open(name string) (fs.File, error) {
	n, err := f.find("open", name)
	if err != nil {
		return nil, err
	}
	if n.dir {
		return &openDir{inode: n}, nil
	}
	if n.mode.Type() != 0 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
	}
	return &openFile{SectionReader: io.NewSectionReader(parts{f, n}, 0, n.size), inode: n}, nil
}

// Stat describes a file or directory.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	n, err := f.find("stat", name)
	if err != nil {
		return nil, err
	}
	return info{n}, nil
}

// ReadDir lists a directory, sorted by name.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := f.find("readdir", name)
	if err != nil {
		return nil, err
	}
	if !n.dir {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a directory")}
	}
	return n.entries(), nil
}

func (n *inode) entries() []fs.DirEntry {
	out := make([]fs.DirEntry, len(n.children))
	for i, c := range n.children {
		out[i] = fs.FileInfoToDirEntry(info{c})
	}
	return out
}

// parts reads a file as one, whatever number of extents it lies in.
type parts struct {
	fs *FS
	n  *inode
}

func (p parts) ReadAt(b []byte, off int64) (int, error) {
	done := 0
	for _, e := range p.n.parts {
		if off >= e.Size {
			off -= e.Size
			continue
		}
		want := min(int64(len(b)-done), e.Size-off)
		n, err := p.fs.r.ReadAt(b[done:done+int(want)], e.Offset+off)
		done += n
		if int64(n) < want {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return done, err
		}
		if done == len(b) {
			return done, nil
		}
		off = 0
	}
	return done, io.EOF
}

type openFile struct {
	*io.SectionReader
	inode *inode
}

func (f *openFile) Stat() (fs.FileInfo, error) { return info{f.inode}, nil }
func (f *openFile) Close() error               { return nil }

type openDir struct {
	inode *inode
	at    int
}

func (d *openDir) Stat() (fs.FileInfo, error) { return info{d.inode}, nil }
func (d *openDir) Close() error               { return nil }
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.inode.path, Err: errors.New("is a directory")}
}

// ReadDir follows the contract of fs.ReadDirFile.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	rest := d.inode.entries()[d.at:]
	if n > 0 {
		if len(rest) == 0 {
			return nil, io.EOF
		}
		rest = rest[:min(n, len(rest))]
	}
	d.at += len(rest)
	return rest, nil
}

// info is an inode seen as fs.FileInfo; Sys is nil.
type info struct{ n *inode }

func (i info) Name() string       { return i.n.name }
func (i info) Size() int64        { return i.n.size }
func (i info) Mode() fs.FileMode  { return i.n.mode }
func (i info) ModTime() time.Time { return i.n.mod }
func (i info) IsDir() bool        { return i.n.dir }
func (i info) Sys() any           { return nil }
