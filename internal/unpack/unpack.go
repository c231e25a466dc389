// Package unpack bounds what may come out of a compressed archive, so that a
// small file cannot fill the disk (a "bomb"), and holds the code for archives
// that are made to harm. Tar walks an archive whose members become files, and
// refuses what no honest one has; which of them to use is for its reader to say.
// It writes nothing. It is a leaf.
package unpack

import (
	"io"

	"caisson.dev/caisson/internal/size"
)

// An archive may unpack to Floor, or to Ratio times its packed size if that is
// more, and never to more than its reader's own limit.
//
// Ratio: programs and texts shrink to a third or a tenth, disk images full of
// zeros to a fiftieth; gzip ends at a thousandth, which only a bomb reaches, and
// xz and zstd go far beyond. Floor: a few MiB of zeros in a small archive harm
// nobody. The reader's limit is for bombs that bring their own bulk.
const (
	Ratio = 200
	Floor = 64 * size.MiB
)

// Reader is a stream that ends with ARCHIVE-HOSTILE when too much came out of it.
type Reader struct {
	in     io.Reader
	what   string
	packed func() int64
	most   size.Bytes
	n      int64
	err    error
}

// Bounded bounds the unpacked stream in. packed tells the bytes that it was
// unpacked from, all or so far; what is named in the fault.
func Bounded(in io.Reader, what string, packed func() int64, most size.Bytes) *Reader {
	return &Reader{in: in, what: what, packed: packed, most: most}
}

func (r *Reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.in.Read(p)
	r.n += int64(n)
	packed := size.Bytes(r.packed())
	if limit := min(max(Floor, Ratio*packed), r.most); size.Bytes(r.n) > limit {
		r.err = Hostile.New("cannot unpack %s: have more than %s out of %s, need at most that", r.what, limit, packed).
			Hint("it is made to fill disks, or it is damaged: find out where it comes from")
		return 0, r.err
	}
	return n, err
}

// Err is the fault that ended the stream, nil while there is none.
func (r *Reader) Err() error { return r.err }

// Counter counts the bytes that were read through it.
type Counter struct {
	In io.Reader
	n  int64
}

func (c *Counter) Read(p []byte) (int, error) {
	n, err := c.In.Read(p)
	c.n += int64(n)
	return n, err
}

// N is the bytes so far.
func (c *Counter) N() int64 { return c.n }
