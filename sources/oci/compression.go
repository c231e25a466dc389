package oci

import (
	"context"
	"io"
	"os"
	"path"

	"github.com/klauspost/compress/zstd"
	"github.com/mholt/archives"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/internal/unpack"
)

const (
	maxUnpacked = 256 * size.GiB // the largest images, with models in them, have some 100
	maxWindow   = 128 << 20      // bytes the zstd decoder may ask for
)

// compressions that an image archive may lie in, known by their first bytes.
// Formats that can only be guessed (zlib, brotli) are left out: a plain tar file
// must never be taken for one of them.
var compressions = []archives.Compression{
	archives.Gz{},
	archives.Zstd{DecoderOptions: []zstd.DOption{zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1)}},
	archives.Xz{},
	archives.Bz2{},
	archives.Lz4{},
}

// compressionOf is what f is compressed with, nil for nothing known.
func compressionOf(ctx context.Context, f *os.File) (archives.Compression, error) {
	for _, c := range compressions {
		match, err := c.Match(ctx, "", io.NewSectionReader(f, 0, 16))
		if err != nil {
			return nil, err
		}
		if match.ByStream {
			return c, nil
		}
	}
	return nil, nil
}

// decompressed is f itself when it is a plain tar, else an unpacked copy in the
// Store's scratch folder: members are read by position, in any order.
func (s Source) decompressed(ctx context.Context, f *os.File) (*os.File, func(), error) {
	c, err := compressionOf(ctx, f)
	if err != nil {
		return nil, nil, BadArchive.New("cannot read image archive %s: %w", f.Name(), err)
	}
	if c == nil {
		return f, func() { _ = f.Close() }, nil
	}
	dir, err := s.Store.TempDir("archive")
	if err != nil {
		return nil, nil, s.Store.DiskFault(err, 0)
	}
	out, err := os.Create(path.Join(dir, "plain.tar"))
	if err == nil {
		err = copyUnpacked(ctx, out, f, c)
	}
	if err != nil {
		_ = out.Close()
		_ = os.RemoveAll(dir)
		return nil, nil, s.unpackFault(ctx, f.Name(), err)
	}
	_ = f.Close()
	return out, func() { _ = out.Close(); _ = os.RemoveAll(dir) }, nil
}

func copyUnpacked(ctx context.Context, to io.Writer, f *os.File, c archives.Compression) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	plain, err := c.OpenReader(f)
	if err != nil {
		return err
	}
	defer plain.Close()
	_, err = io.Copy(to, unpack.Bounded(&stoppable{ctx, plain}, "image archive "+f.Name(), info.Size, maxUnpacked))
	return err
}

// unpackFault says whose fault it is that an archive was not unpacked: a full
// disk and a stop are not the archive's.
func (s Source) unpackFault(ctx context.Context, name string, err error) error {
	full := s.Store.DiskFault(err, 0)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case bundle.DiskFull.Is(full):
		return full
	case unpack.Hostile.Is(err):
		return err
	}
	return BadArchive.New("cannot unpack image archive %s: %w", name, err).
		Hint("the file is damaged or not complete: copy it again, or save the image again")
}

type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s *stoppable) Read(p []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	return s.r.Read(p)
}
