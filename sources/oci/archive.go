package oci

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/distribution/reference"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/unpack"
)

// maxMembers is far above what an image archive has.
const maxMembers = 100_000

// openArchive opens a tar file with images, compressed or not. An OCI layout
// is preferred to docker save's own form: Docker writes both into one file, and
// only the layout has the digests that the image was built with.
func (s Source) openArchive(ctx context.Context, name string, ref reference.Named, im bundle.ImageWant) (origin, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, BadArchive.New("cannot open image archive: %w", err).Hint("paths in the Spec start at the Spec's own folder")
	}
	plain, done, err := s.decompressed(ctx, f)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	members, err := indexTar(ctx, plain, name)
	if err != nil {
		done()
		return nil, err
	}
	if _, ok := members.at["oci-layout"]; ok {
		l := &layout{fsys: members, where: name, ref: ref, pin: string(im.Digest), done: done}
		if err := l.check(); err != nil {
			done()
			return nil, err
		}
		return l, nil
	}
	if _, ok := members.at["manifest.json"]; ok {
		o, err := openDockerSave(ctx, members, name, ref, done)
		if err != nil {
			done()
			return nil, err
		}
		return o, nil
	}
	done()
	return nil, BadArchive.New("cannot use image archive %s: have neither oci-layout nor manifest.json in it, need one", name).
		Hint("write it with docker save, podman save --format oci-archive, or skopeo copy ... oci-archive:FILE")
}

// members are the plain files of a tar file, by position: an fs.FS of which
// only Open is used. Nothing is unpacked, so no name of the archive ever
// becomes a name on this machine.
type members struct {
	f  io.ReaderAt
	at map[string]span
}

type span struct {
	offset, size int64
	link         string // other member that this one stands for
}

// indexTar lists the archive's members and refuses what no image archive has.
func indexTar(ctx context.Context, f *os.File, where string) (*members, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	m := &members{f: f, at: map[string]span{}}
	t := tar.NewReader(f) // it reads whole blocks and seeks over bodies: the file's position is the member's
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		hdr, err := t.Next()
		if err == io.EOF {
			return m, nil
		}
		if err != nil {
			return nil, BadArchive.New("cannot read image archive %s: %w", where, err)
		}
		name := path.Clean(hdr.Name)
		bad := func(why string) error {
			return unpack.Hostile.New("cannot use image archive %s: have member %q with %s, need plain files inside the archive", where, hdr.Name, why)
		}
		if !fs.ValidPath(name) {
			return nil, bad("a path that leads out of it")
		}
		s := span{size: hdr.Size}
		switch hdr.Typeflag {
		case tar.TypeDir:
			continue
		case tar.TypeReg:
			if s.offset, err = f.Seek(0, io.SeekCurrent); err != nil {
				return nil, err
			}
		case tar.TypeSymlink, tar.TypeLink:
			// Old docker save links equal layers to one another.
			s.link = path.Join(path.Dir(name), hdr.Linkname)
			if hdr.Typeflag == tar.TypeLink {
				s.link = path.Clean(hdr.Linkname)
			}
			if path.IsAbs(hdr.Linkname) || !fs.ValidPath(s.link) {
				return nil, bad("a link out of it")
			}
		default:
			return nil, bad("type " + strconv.Quote(string(hdr.Typeflag)))
		}
		for key := range hdr.PAXRecords {
			if strings.HasPrefix(key, "GNU.sparse.") {
				return nil, bad("holes")
			}
		}
		if _, twice := m.at[name]; twice {
			return nil, bad("a name that it has twice")
		}
		if m.at[name] = s; len(m.at) > maxMembers {
			return nil, bad("too many others before it")
		}
	}
}

// Open gives a member; a link is followed once.
func (m *members) Open(name string) (fs.File, error) {
	s, ok := m.at[name]
	if ok && s.link != "" {
		s, ok = m.at[s.link]
		ok = ok && s.link == ""
	}
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &memberFile{SectionReader: io.NewSectionReader(m.f, s.offset, s.size), name: path.Base(name)}, nil
}

type memberFile struct {
	*io.SectionReader
	name string
}

func (f *memberFile) Close() error               { return nil }
func (f *memberFile) Stat() (fs.FileInfo, error) { return memberInfo{f}, nil }

type memberInfo struct{ f *memberFile }

func (i memberInfo) Name() string       { return i.f.name }
func (i memberInfo) Size() int64        { return i.f.SectionReader.Size() }
func (i memberInfo) Mode() fs.FileMode  { return 0o444 }
func (i memberInfo) ModTime() time.Time { return time.Time{} }
func (i memberInfo) IsDir() bool        { return false }
func (i memberInfo) Sys() any           { return nil }

var errNotThere = errors.New("it names a member that is not there")
