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
	"strconv"
	"strings"

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
)

const (
	arMagic   = "!<arch>\n"
	arHeader  = 60
	arTrailer = "`\n"
)

// Walk calls fn for each member of the package's data.tar, as unpack.Tar does.
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
	return unpack.Tar(unpack.Bounded(plain, name+" of the package", packed.N, maxUnpacked), Damaged, maxEntries, fn)
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
