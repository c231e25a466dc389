// Package deb reads the files of a Debian binary package (deb(5), format 2.0):
// an ar archive of debian-binary, a control member, and data.tar in one of the
// compressions that Debian uses (xz, zstd, gzip, none). It gives the files to a
// callback, in the package's order, and never writes a file itself.
//
// It leaves out control data, maintainer scripts and dependencies. A package is
// not trusted even when its digest is right: names, types and sizes are held
// against limits first. It is a leaf.
package deb

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
	"github.com/mikelolasagasti/xz"

	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/internal/unpack"
)

// Limits of one package. Debian's largest (kernel firmware, debug symbols) are
// within a quarter of each.
const (
	maxEntries  = 500_000
	maxUnpacked = 16 * size.GiB
	maxDict     = 64 << 20 // bytes the xz decoder may ask for: that of xz -9
	maxZstdMem  = 128 << 20
	maxName     = 4096
)

const (
	arMagic   = "!<arch>\n"
	arHeader  = 60
	arTrailer = "`\n"
)

// Walk calls fn for each member of the package's data.tar. hdr.Name is clean
// and relative ("usr/bin/nft"; folders too, without a slash at the end); hdr's
// type is a regular file, folder, symbolic link or hard link (whose Linkname is
// clean and relative as well). r holds a regular file's bytes and is valid
// during the call. An error of fn ends the walk and is returned as it is.
func Walk(r io.Reader, fn func(hdr *tar.Header, r io.Reader) error) error {
	name, data, err := dataMember(r)
	if err != nil {
		return err
	}
	packed := &unpack.Counter{In: data}
	plain, done, err := decompress(name, packed)
	if err != nil {
		return Damaged.New("cannot read %s of the package: %w", name, err)
	}
	defer done()
	return walkTar(unpack.Bounded(plain, name+" of the package", packed.N, maxUnpacked), fn)
}

// dataMember finds data.tar.*, the third member of the ar archive.
func dataMember(r io.Reader) (string, io.Reader, error) {
	magic := make([]byte, len(arMagic))
	if _, err := io.ReadFull(r, magic); err != nil || string(magic) != arMagic {
		return "", nil, Damaged.New("cannot read the package: have %q at its start, need %q", magic, arMagic)
	}
	for i := 0; ; i++ {
		name, n, err := member(r)
		if err != nil {
			return "", nil, err
		}
		switch {
		case i == 0:
			version := make([]byte, min(n, 64))
			if _, err := io.ReadFull(r, version); err != nil || name != "debian-binary" || !bytes.HasPrefix(version, []byte("2.")) {
				return "", nil, Damaged.New("cannot read the package: have member %q with %q, need debian-binary with 2.x", name, version)
			}
			n -= int64(len(version))
		case strings.HasPrefix(name, "data.tar"):
			return name, io.LimitReader(r, n), nil
		case i > 8:
			return "", nil, Damaged.New("cannot read the package: have %d members and no data.tar, need one", i)
		}
		if _, err := io.CopyN(io.Discard, r, n+n%2); err != nil {
			return "", nil, Damaged.New("cannot read member %s of the package: %w", name, err)
		}
	}
}

// member reads one ar header: name, size in bytes. Members start at even bytes.
func member(r io.Reader) (string, int64, error) {
	h := make([]byte, arHeader)
	if _, err := io.ReadFull(r, h); err != nil {
		return "", 0, Damaged.New("cannot read the package: have no data.tar before its end, need one: %w", err)
	}
	n, err := strconv.ParseInt(strings.TrimRight(string(h[48:58]), " "), 10, 64)
	if err != nil || n < 0 || string(h[58:60]) != arTrailer {
		return "", 0, Damaged.New("cannot read the package: have a damaged ar header %q", h)
	}
	return strings.TrimSuffix(strings.TrimRight(string(h[:16]), " "), "/"), n, nil
}

// decompress picks the decoder by the member's name, as dpkg does.
func decompress(name string, r io.Reader) (io.Reader, func(), error) {
	none := func() {}
	switch name {
	case "data.tar":
		return r, none, nil
	case "data.tar.gz":
		z, err := gzip.NewReader(r)
		return z, none, err
	case "data.tar.xz":
		z, err := xz.NewReader(r, maxDict)
		return z, none, err
	case "data.tar.zst":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxZstdMem), zstd.WithDecoderMaxWindow(maxZstdMem))
		if err != nil {
			return nil, none, err
		}
		return z, z.Close, nil
	}
	return nil, none, fmt.Errorf("have compression %q, need xz, zst, gz or none", strings.TrimPrefix(name, "data.tar."))
}

func walkTar(r *unpack.Reader, fn func(hdr *tar.Header, r io.Reader) error) error {
	t := tar.NewReader(r)
	links := map[string]bool{}
	for i := 0; ; i++ {
		hdr, err := t.Next()
		switch {
		case err == io.EOF:
			return nil
		case r.Err() != nil:
			return r.Err()
		case err != nil:
			return Damaged.New("cannot read data.tar of the package: %w", err)
		case i >= maxEntries:
			return unpack.Hostile.New("cannot unpack the package: have more than %d files, need at most %d", maxEntries, maxEntries)
		}
		skip, err := judge(hdr, links)
		if err != nil {
			return err
		}
		if skip {
			continue
		}
		err = fn(hdr, &body{t})
		switch {
		case r.Err() != nil:
			return r.Err() // whatever fn made of it
		case err != nil:
			return err
		}
	}
}

// judge makes the header clean or refuses it; skip is for entries that hold
// nothing (the root folder itself).
func judge(hdr *tar.Header, links map[string]bool) (skip bool, err error) {
	name, why := clean(hdr.Name)
	if why != "" {
		return false, unpack.Hostile.New("cannot unpack %q of the package: have %s, need a path inside the package", hdr.Name, why)
	}
	switch hdr.Typeflag {
	case tar.TypeReg, tar.TypeDir, tar.TypeSymlink, tar.TypeLink:
	default:
		return false, unpack.Hostile.New("cannot unpack %q of the package: have type %q, need a file, folder or link", hdr.Name, string(hdr.Typeflag))
	}
	// Holes unpack to bytes that no limit counts.
	for key := range hdr.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return false, unpack.Hostile.New("cannot unpack %q of the package: have a file with holes, need its bytes", hdr.Name)
		}
	}
	// A file below a link of the same package would land where the link points.
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if links[dir] {
			return false, unpack.Hostile.New("cannot unpack %q of the package: have the link %q in its path, need a folder", hdr.Name, dir)
		}
	}
	hdr.Name = name
	switch hdr.Typeflag {
	case tar.TypeSymlink:
		links[name] = true
	case tar.TypeLink:
		if hdr.Linkname, why = clean(hdr.Linkname); why != "" || hdr.Linkname == "." {
			return false, unpack.Hostile.New("cannot unpack hard link %q of the package: have a target with %s, need a file of the package", name, why)
		}
	}
	if name == "." {
		if hdr.Typeflag != tar.TypeDir {
			return false, unpack.Hostile.New("cannot unpack %q of the package: have a file at its root, need a folder", hdr.Name)
		}
		return true, nil
	}
	return false, nil
}

// clean is the path without "./" and slash at the end, or what is wrong with it.
func clean(name string) (string, string) {
	switch {
	case name == "" || len(name) > maxName:
		return "", fmt.Sprintf("a name of %d bytes", len(name))
	case name[0] == '/':
		return "", "an absolute path"
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", "a control character or bytes that are not UTF-8"
	}
	for e := range strings.SplitSeq(name, "/") {
		if e == ".." {
			return "", "an element .."
		}
	}
	return path.Clean(name), ""
}

// body is a member's bytes; a damaged stream is a fault whoever reads it.
type body struct{ t *tar.Reader }

func (b *body) Read(p []byte) (int, error) {
	n, err := b.t.Read(p)
	if err != nil && err != io.EOF && !unpack.Hostile.Is(err) {
		err = Damaged.New("cannot read data.tar of the package: %w", err)
	}
	return n, err
}
