// Package standin knows the mark that every stand-in carries: a program or an
// archive that the tests put in a vendor's place (qemu-tests/standin). The build
// looks for it in what it is given, so that no stand-in gets onto a product's
// medium. It finds those that Caisson's own tests make, and is no proof that
// something else is genuine: that is what checksums are for. It is a leaf.
package standin

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"

	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/internal/unpack"
)

// Mark is in the bytes of every stand-in, and at the head of what it says.
const Mark = "caisson stand-in, for tests only: this is not the vendor's program"

// Word stands in the names of media that carry one.
const Word = "STAND-IN"

// maxUnpacked bounds what is looked through of one archive; the largest of the
// vendors' have some GiB.
const maxUnpacked = 64 * size.GiB

// maxWindow bounds the memory of a zstd stream. Real ones ask for 32 MiB.
const maxWindow = 128 << 20

// In tells whether the mark is in r, a gzip or zstd stream unpacked. name is for
// the error about a stream that unpacks to too much.
func In(r io.Reader, name string) (bool, error) {
	packed := &unpack.Counter{In: r}
	b := bufio.NewReaderSize(packed, 1<<16)
	head, err := b.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(b)
		if err != nil {
			return false, err
		}
		return search(unpack.Bounded(z, name, packed.N, maxUnpacked))
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(b, zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return false, err
		}
		defer z.Close()
		return search(unpack.Bounded(z, name, packed.N, maxUnpacked))
	}
	return search(b)
}

// search finds the mark, also where it lies across two reads.
func search(r io.Reader) (bool, error) {
	buf := make([]byte, 1<<20)
	kept := 0 // bytes of the last read that may begin the mark
	for {
		n, err := r.Read(buf[kept:])
		seen := buf[:kept+n]
		if bytes.Contains(seen, []byte(Mark)) {
			return true, nil
		}
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		kept = copy(buf, seen[max(0, len(seen)-len(Mark)+1):])
	}
}
