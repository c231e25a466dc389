package bundle_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
)

func newStore(t *testing.T) *bundle.Store {
	t.Helper()
	s, err := bundle.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPut(t *testing.T) {
	text := "some bytes"
	tests := []struct {
		summary string
		in      io.Reader
		want    digest.Digest
		refused func(error) bool
	}{
		{"an unknown digest is found", strings.NewReader(text), "", nil},
		{"the right digest is kept", strings.NewReader(text), digest.Of([]byte(text)), nil},
		{"the wrong digest keeps nothing", strings.NewReader(text), digest.Of([]byte("other")), bundle.DigestMismatch.Is},
		{"a cut-off reader keeps nothing", io.MultiReader(strings.NewReader(text), failing{io.ErrUnexpectedEOF}), "",
			func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		{"a reader of many pieces", io.LimitReader(zeros{}, 3<<20+17), "", nil},
		{"nothing at all is a blob too", strings.NewReader(""), digest.Of(nil), nil},
	}
	for _, tt := range tests {
		t.Run(tt.summary, func(t *testing.T) {
			s := newStore(t)
			d, n, err := s.Put(t.Context(), tt.in, tt.want)
			if tt.refused != nil {
				if !tt.refused(err) {
					t.Fatalf("have error %v", err)
				}
				if blobs := glob(t, s.Path("sha256:*")); len(blobs) > 0 {
					t.Errorf("have %v in the store, need nothing", blobs)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			have, size, err := digest.File(s.Path(d))
			if err != nil || have != d || size != n || !s.Has(d) {
				t.Errorf("have blob %s of %d bytes (%v), need %s of %d", have, size, err, d, n)
			}
			if left := glob(t, filepath.Join(filepath.Dir(s.Path(d)), "../../tmp/*")); len(left) > 0 {
				t.Errorf("have %v left over", left)
			}
		})
	}
}

func TestPutFileIsACopy(t *testing.T) {
	s := newStore(t)
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, "first")
	d, _, err := s.PutFile(t.Context(), path, "")
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, "other") // the same file, other bytes
	if have := read(t, s, d); have != "first" {
		t.Errorf("have %q in the store after the original changed, need %q", have, "first")
	}
}

func TestAdoptMoves(t *testing.T) {
	s := newStore(t)
	dir, err := s.TempDir("x")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "f")
	write(t, path, "made")
	if _, _, err := s.Adopt(t.Context(), path, digest.Of([]byte("else"))); !bundle.DigestMismatch.Is(err) {
		t.Errorf("have %v, need DIGEST-MISMATCH", err)
	}
	write(t, path, "made")
	d, n, err := s.Adopt(t.Context(), path, "")
	if err != nil || n != 4 || read(t, s, d) != "made" {
		t.Errorf("have %d bytes of %s: %v", n, d, err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("have the file still at %s: %v", path, err)
	}
}

func TestManyWritersOfOneBlob(t *testing.T) {
	s := newStore(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, _, err := s.Put(context.Background(), io.LimitReader(zeros{}, 2<<20), ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := s.Check(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestMemo(t *testing.T) {
	s := newStore(t)
	d, n, err := s.Put(t.Context(), strings.NewReader("program"), "")
	if err != nil {
		t.Fatal(err)
	}
	made := []bundle.Artifact{{Name: "want/program", Digest: d, Size: n, Mode: 0o755, Source: "pkg:golang/x@v1"}}
	if err := s.SetMemo("key", made); err != nil {
		t.Fatal(err)
	}
	have, ok := s.Memo("key")
	if !ok || len(have) != 1 || have[0] != made[0] {
		t.Errorf("have %v %v, need %v", have, ok, made)
	}
	if _, ok := s.Memo("another"); ok {
		t.Error("have an answer for a key that was never set")
	}
	if err := os.Truncate(chmod(t, s.Path(d)), 3); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Memo("key"); ok {
		t.Error("have an answer whose blob is too short")
	}
	if err := s.Check(t.Context(), nil); !bundle.StoreDamaged.Is(err) {
		t.Errorf("have %v, need STORE-DAMAGED", err)
	}
	_ = os.Remove(s.Path(d))
	if _, ok := s.Memo("key"); ok {
		t.Error("have an answer whose blob is gone")
	}
}

func TestLockWaits(t *testing.T) {
	s := newStore(t)
	unlock, err := s.Lock(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Lock(ctx, "k"); !errors.Is(err, context.Canceled) {
		t.Errorf("have %v, need the wait to end with its context", err)
	}
	got := make(chan error)
	go func() {
		un, err := s.Lock(context.Background(), "k")
		if err == nil {
			un()
		}
		got <- err
	}()
	unlock()
	if err := <-got; err != nil {
		t.Error(err)
	}
}

func TestOldScratchIsSwept(t *testing.T) {
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{"tmp/old": 50 * time.Hour, "tmp/new": time.Hour,
		"partial/old": 31 * 24 * time.Hour, "partial/new": 29 * 24 * time.Hour} {
		path := filepath.Join(dir, name)
		at := time.Now().Add(-age)
		if err := errors.Join(os.MkdirAll(path, 0o755), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := bundle.OpenStore(dir); err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"tmp", "partial"} {
		if have := glob(t, filepath.Join(dir, sub, "*")); len(have) != 1 || filepath.Base(have[0]) != "new" {
			t.Errorf("have %v left, need only the new one", have)
		}
	}
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("cannot mount a small tmpfs here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	s, err := bundle.OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.Put(t.Context(), io.LimitReader(zeros{}, 8<<20), "")
	if !bundle.DiskFull.Is(err) || !strings.Contains(err.Error(), "need more than") {
		t.Errorf("have %v, need DISK-FULL with what is needed", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string) string {
	t.Helper()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, s interface {
	Open(digest.Digest) (io.ReadCloser, error)
}, d digest.Digest) string {
	t.Helper()
	r, err := s.Open(d)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
