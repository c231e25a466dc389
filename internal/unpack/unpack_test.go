package unpack_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/internal/unpack"
)

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestBounded(t *testing.T) {
	for _, c := range []struct {
		summary           string
		out, packed, most size.Bytes
		limit             size.Bytes // 0: all comes out
	}{
		{"nothing", 0, 0, size.GiB, 0},
		{"as packed", 3 * size.MiB, 3 * size.MiB, size.GiB, 0},
		{"small, whatever the ratio", unpack.Floor, 1, size.GiB, 0},
		{"small, one byte too many", unpack.Floor + 1, 1, size.GiB, unpack.Floor},
		{"within the ratio", unpack.Ratio * size.MiB, size.MiB, size.GiB, 0},
		{"beyond the ratio", unpack.Ratio*size.MiB + 1, size.MiB, size.GiB, unpack.Ratio * size.MiB},
		{"within the reader's limit", 2 * size.MiB, 2 * size.MiB, 2 * size.MiB, 0},
		{"beyond the reader's limit", 2*size.MiB + 1, 2 * size.MiB, 2 * size.MiB, 2 * size.MiB},
	} {
		t.Run(c.summary, func(t *testing.T) {
			r := unpack.Bounded(io.LimitReader(zeros{}, int64(c.out)), "x.tar", func() int64 { return int64(c.packed) }, c.most)
			n, err := io.Copy(io.Discard, r)
			if c.limit == 0 {
				if err != nil || n != int64(c.out) || r.Err() != nil {
					t.Errorf("have %d bytes and %v, need %d", n, err, c.out)
				}
				return
			}
			if !unpack.Hostile.Is(err) || !errors.Is(err, r.Err()) || !strings.Contains(err.Error(), "cannot unpack x.tar: have more than "+c.limit.String()) {
				t.Errorf("have %v after %d bytes, need ARCHIVE-HOSTILE with %s", err, n, c.limit)
			}
			if n > int64(c.limit) {
				t.Errorf("have %d bytes let through, need at most %d", n, c.limit)
			}
			if again, err := r.Read(make([]byte, 1)); again != 0 || err == nil {
				t.Errorf("have %d bytes and %v after the end", again, err)
			}
		})
	}
}

// The packed size may become known only while the stream is read.
func TestCounter(t *testing.T) {
	in := &unpack.Counter{In: strings.NewReader("0123456789")}
	if _, err := io.CopyN(io.Discard, in, 7); err != nil || in.N() != 7 {
		t.Errorf("have %d bytes counted (%v), need 7", in.N(), err)
	}
}
