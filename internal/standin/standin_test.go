package standin

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"

	"caisson.dev/caisson/internal/unpack"
)

func packed(t *testing.T, b []byte, make func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var out bytes.Buffer
	w := make(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestIn(t *testing.T) {
	gz := func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
	zst := func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	marked := []byte(strings.Repeat("x", 3<<20) + Mark + strings.Repeat("y", 1<<20))
	clean := bytes.Replace(marked, []byte("stand-in"), []byte("stands in"), 1)
	across := []byte(strings.Repeat("x", 1<<20-10) + Mark)
	for name, c := range map[string]struct {
		data []byte
		want bool
	}{
		"plain": {marked, true}, "plain, clean": {clean, false}, "across two reads": {across, true}, "nothing": {nil, false}, "the mark alone": {[]byte(Mark), true}, "part of it": {[]byte(Mark[1:]), false},
		"gzip": {packed(t, marked, gz), true}, "gzip, clean": {packed(t, clean, gz), false}, "zstd": {packed(t, marked, zst), true}, "zstd, clean": {packed(t, clean, zst), false},
	} {
		for how, r := range map[string]io.Reader{"at once": bytes.NewReader(c.data), "in halves": iotest.HalfReader(bytes.NewReader(c.data))} {
			if have, err := In(r, name); have != c.want || err != nil {
				t.Errorf("%s, %s: have %v, %v", name, how, have, err)
			}
		}
	}
	if _, err := In(bytes.NewReader(packed(t, marked, gz)[:100]), "cut"); err == nil {
		t.Error("a stream that breaks off is taken for clean")
	}
	if _, err := In(bytes.NewReader(packed(t, make([]byte, 65<<20), zst)), "bomb"); !unpack.Hostile.Is(err) {
		t.Errorf("have %v, need ARCHIVE-HOSTILE", err)
	}
}
