package iso9660

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/digest"
)

func TestPipeGivesTheSameBytes(t *testing.T) {
	files := tree()
	want := image(t, files)
	l, err := Plan(volume(files))
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	go func() {
		_, err := l.Write(context.Background(), w, content(files), Options{})
		w.CloseWithError(err)
	}()
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("have %d bytes (%v), want %d equal ones", len(got), err, len(want))
	}
}

// TestTrusted writes files into a file, trusted and not: the same bytes, and
// only those that are trusted are taken without a look.
func TestTrusted(t *testing.T) {
	files := tree()
	want := image(t, files)
	dir := t.TempDir()
	from := func(trusted bool, claim func([]byte) digest.Digest) Content {
		c := content(files)
		c.Source = func(p string) (Source, error) {
			name := filepath.Join(dir, digest.Of(files[p]).Hex())
			if err := os.WriteFile(name, files[p], 0o600); err != nil {
				return Source{}, err
			}
			return Source{Digest: claim(files[p]), Trusted: trusted, Open: func() (io.ReadCloser, error) { return os.Open(name) }}, nil
		}
		return c
	}
	l, err := Plan(volume(files))
	if err != nil {
		t.Fatal(err)
	}
	for _, trusted := range []bool{true, false} {
		out, err := os.Create(filepath.Join(dir, "out.iso"))
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		var last int64
		res, err := l.Write(context.Background(), out, from(trusted, digest.Of), Options{Progress: func(_ string, done, total int64) {
			if done < last || total != l.Size() {
				t.Errorf("progress goes from %d to %d of %d", last, done, total)
			}
			last = done
		}})
		if err != nil || res.Digest != "" {
			t.Fatalf("have %v, %q", err, res.Digest)
		}
		got, err := os.ReadFile(out.Name())
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("trusted %v: the copy differs (%v)", trusted, err)
		}
		for _, w := range res.Files {
			if want := digest.Of(files[w.Path]); w.Digest != want {
				t.Errorf("%s: have %s, want %s", w.Path, w.Digest, want)
			}
		}
		rotten := from(trusted, func([]byte) digest.Digest { return digest.Of([]byte("what it was")) })
		if _, err := l.Write(context.Background(), out, rotten, Options{}); Changed.Is(err) == trusted {
			t.Errorf("a file that rotted, trusted %v: have %v", trusted, err)
		}
	}
}

type failingWriter struct{ left int }

var errFull = errors.New("no space left on device")

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriteStops(t *testing.T) {
	files := map[string][]byte{"a": []byte("first"), "b": bytes.Repeat([]byte("x"), 3<<20), "c": []byte("last")}
	l, err := Plan(volume(files))
	if err != nil {
		t.Fatal(err)
	}
	other := func(name string, b []byte) Content {
		c := content(files)
		plain := c.Source
		c.Source = func(p string) (Source, error) {
			s, err := plain(p)
			if p == name {
				s.Open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
			}
			return s, err
		}
		return c
	}
	for _, name := range []string{"a", "b", "c"} {
		b := files[name]
		flipped := bytes.Clone(b)
		flipped[len(b)-1] ^= 1
		for what, bad := range map[string][]byte{"have bytes with digest": flipped, "need": b[:len(b)-1], "have more than": append(bytes.Clone(b), 'y')} {
			res, err := l.Write(context.Background(), io.Discard, other(name, bad), Options{Whole: true})
			if !Changed.Is(err) || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), "cannot write "+name) || res.Files != nil {
				t.Errorf("%s: have %v and %v, want ISO-SOURCE-CHANGED with %q", name, res, err, what)
			}
		}
	}
	if _, err := l.Write(context.Background(), &failingWriter{1 << 20}, content(files), Options{}); !errors.Is(err, errFull) {
		t.Errorf("have %v, want the writer's error", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Write(ctx, io.Discard, content(files), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("have %v, want context.Canceled", err)
	}
	c := content(files)
	c.Tail = make([]byte, 34*512)
	if _, err := l.Write(context.Background(), io.Discard, c, Options{}); !BadEntry.Is(err) {
		t.Errorf("have %v, want ISO-ENTRY", err)
	}
}

// marked is a file of any size that costs nothing: zeros with an 8-byte mark at
// each multiple of 1 GiB and across the seam of the extents.
type marked struct{ size, at int64 }

func (m *marked) byteAt(off int64) byte {
	for _, seam := range []int64{0, 1 << 30, extentMax - 4, m.size - 8} {
		if off >= seam && off < seam+8 {
			return byte(1 + off - seam)
		}
	}
	return 0
}

func (m *marked) ReadAt(p []byte, off int64) (int, error) {
	n := int(min(int64(len(p)), m.size-off))
	clear(p[:n])
	for _, seam := range []int64{0, 1 << 30, extentMax - 4, m.size - 8} {
		for o := max(seam, off); o < min(seam+8, off+int64(n)); o++ {
			p[o-off] = m.byteAt(o)
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// overlay is an image whose metadata is real and whose one file is made up.
type overlay struct {
	head []byte
	at   Extent
	big  *marked
}

func (o overlay) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	if off < int64(len(o.head)) {
		copy(p, o.head[off:])
	}
	for i := range p { // small reads only
		if q := off + int64(i) - o.at.Offset; q >= 0 && q < o.at.Size {
			p[i] = o.big.byteAt(q)
		}
	}
	return len(p), nil
}

// TestOver4GiB plans and reads back a file of three extents without writing it.
func TestOver4GiB(t *testing.T) {
	big := &marked{size: 2*extentMax + 5000}
	v := Volume{Label: "BIG", Epoch: epoch, Entries: []Entry{{Path: "d/big.img", Size: big.size}, {Path: "after", Size: 10}}}
	l, err := Plan(v)
	if err != nil {
		t.Fatal(err)
	}
	at, _ := l.Find("d/big.img")
	after, _ := l.Find("after")
	if after.Offset < at.Offset+big.size || l.Size() < 8<<30 {
		t.Fatalf("have %+v and %+v", at, after)
	}
	head := append(make([]byte, SystemArea), l.metadata()...)
	f, err := Open(overlay{head, at, big}, l.Size())
	if err != nil {
		t.Fatal(err)
	}
	st, err := f.Stat("d/big.img")
	if err != nil || st.Size() != big.size {
		t.Fatalf("have %v, %v, want %d bytes", st, err, big.size)
	}
	file, err := f.Open("d/big.img")
	if err != nil {
		t.Fatal(err)
	}
	got, want := make([]byte, 64), make([]byte, 64)
	for _, off := range []int64{0, 1<<30 - 9, extentMax - 32, 2*extentMax - 1, big.size - 64} {
		_, e1 := file.(io.ReaderAt).ReadAt(got, off)
		_, e2 := big.ReadAt(want, off)
		if e1 != nil || e2 != nil || !bytes.Equal(got, want) {
			t.Errorf("at %d: have % x (%v), want % x (%v)", off, got, e1, want, e2)
		}
	}
}

// sparse is a file in which blocks of zeros take no room.
type sparse struct {
	f  *os.File
	at int64
}

func (s *sparse) Write(p []byte) (int, error) {
	if len(bytes.Trim(p, "\x00")) > 0 {
		if _, err := s.f.WriteAt(p, s.at); err != nil {
			return 0, err
		}
	}
	s.at += int64(len(p))
	return len(p), s.f.Truncate(s.at)
}

// TestOver4GiBWritten really writes and reads 4.3 GiB, most of it zeros that take
// no room on the disk; half a minute.
func TestOver4GiBWritten(t *testing.T) {
	if os.Getenv("CAISSON_TEST_BIG") == "" {
		t.Skip("set CAISSON_TEST_BIG=1 to write 4.3 GiB")
	}
	big := &marked{size: extentMax + 300<<20}
	l, err := Plan(Volume{Label: "BIG", Epoch: epoch, Entries: []Entry{{Path: "big.img", Size: big.size}, {Path: "after", Size: 5}}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "big.iso"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	res, err := l.Write(context.Background(), &sparse{f: out}, Content{Source: func(p string) (Source, error) {
		return Source{Open: func() (io.ReadCloser, error) {
			if p == "after" {
				return io.NopCloser(strings.NewReader("after")), nil
			}
			return io.NopCloser(io.NewSectionReader(big, 0, big.size)), nil
		}}, nil
	}}, Options{Whole: true})
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(out, res.Size)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range res.Files {
		file, err := f.Open(w.Path)
		if err != nil {
			t.Fatal(err)
		}
		if d, n, err := digest.Reader(file); err != nil || d != w.Digest || n != w.Extent.Size {
			t.Errorf("%s: have %s, %d, %v, want %s", w.Path, d, n, err, w.Digest)
		}
		xorrisoReads(t, out.Name(), "/"+w.Path, w.Digest)
	}
}
