package bundle

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"caisson.dev/caisson/internal/digest"
)

// Store is the content-addressed cache of the low side: one file for each
// digest, written under a temporary name, checked, synced and renamed. It may
// be deleted at any time; everything in it can be made again from the Lock.
// Several programs may use one Store at once: a blob appears whole or not at
// all, and two writers of one blob write the same bytes.
type Store struct{ dir string }

// OpenStore makes the folders that are missing below dir.
func OpenStore(dir string) (*Store, error) {
	for _, sub := range []string{"blobs/sha256", "memo", "tmp", "partial", "locks", "checked"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, unwritable(dir, err, 0).Hint("--cache names another folder for the store")
		}
	}
	s := &Store{dir: dir}
	s.sweep()
	return s, nil
}

// Abandoned is how old scratch must be before it counts as left by a run that
// was killed: no step takes that long. A download that nobody went on with for
// forgotten is of no more use: what it was to become has moved on.
const (
	Abandoned = 48 * time.Hour
	forgotten = 30 * 24 * time.Hour
)

// sweep removes what killed and given-up runs left. What cannot be removed now
// is for the next time.
func (s *Store) sweep() {
	for sub, age := range map[string]time.Duration{"tmp": Abandoned, "partial": forgotten} {
		entries, _ := os.ReadDir(filepath.Join(s.dir, sub))
		for _, e := range entries {
			if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > age {
				_ = os.RemoveAll(filepath.Join(s.dir, sub, e.Name()))
			}
		}
	}
}

// Progress reports bytes done of a total for one named piece of work; total is
// 0 when not known. A step that the work is at may follow its name and ": ".
// Safe for concurrent use.
type Progress func(name string, done, total int64)

// Source is a place bytes come from; package sources implements it.
type Source interface {
	// Resolve asks what exists and makes the Want exact.
	Resolve(ctx context.Context, w Want) (Pin, error)
	// Collect brings a Pin's bytes into the store, checked. It is idempotent and
	// resumes what an earlier run began.
	Collect(ctx context.Context, p Pin, s *Store, progress Progress) ([]Artifact, error)
}

// Path is where the blob lies, whether or not it is there.
func (s *Store) Path(d digest.Digest) string { return filepath.Join(s.dir, "blobs", "sha256", d.Hex()) }

// Partial is where an unfinished download for key may lie between runs.
func (s *Store) Partial(key string) string {
	return filepath.Join(s.dir, "partial", digest.Of([]byte(key)).Hex())
}

// TempDir makes a new scratch folder on the Store's file system, so that Adopt
// can move files out of it. The caller removes it.
func (s *Store) TempDir(name string) (string, error) {
	return os.MkdirTemp(filepath.Join(s.dir, "tmp"), name+"-*")
}

// WorkDir is a folder that stays between runs, for what a source keeps of its
// own; key tells one from another. Hold Lock while writing in it.
func (s *Store) WorkDir(name, key string) (string, error) {
	dir, err := filepath.Abs(filepath.Join(s.dir, "work", name+"-"+digest.Of([]byte(key)).Short()))
	if err != nil {
		return "", err
	}
	return dir, s.DiskFault(os.MkdirAll(dir, 0o755), 0)
}

// Has tells whether the blob is there. A blob gets its name only after it was
// checked; Check finds what rotted since.
func (s *Store) Has(d digest.Digest) bool {
	_, err := s.Size(d)
	return err == nil
}

// Size is the blob's size in bytes; it satisfies images.Reader.
func (s *Store) Size(d digest.Digest) (int64, error) {
	if d == "" {
		return 0, fs.ErrNotExist
	}
	info, err := os.Lstat(s.Path(d))
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, &fs.PathError{Op: "stat", Path: s.Path(d), Err: errors.New("not a regular file")}
	}
	return info.Size(), nil
}

// Open reads a blob; it satisfies images.Reader.
func (s *Store) Open(d digest.Digest) (io.ReadCloser, error) { return os.Open(s.Path(d)) }

// Put writes r to its end as one blob and returns its digest and size in bytes.
// With want set, other bytes are refused with DIGEST-MISMATCH and nothing is
// kept. It stops between two reads when ctx ends.
func (s *Store) Put(ctx context.Context, r io.Reader, want digest.Digest) (digest.Digest, int64, error) {
	f, err := os.CreateTemp(filepath.Join(s.dir, "tmp"), "put-*")
	if err != nil {
		return "", 0, s.DiskFault(err, 0)
	}
	defer f.Close()
	defer os.Remove(f.Name()) // a no-op once renamed
	d, n, err := copyHashed(ctx, f, r)
	if err != nil {
		return "", n, s.DiskFault(err, n)
	}
	return d, n, s.settle(f, d, n, want)
}

// PutFile puts a copy of the file at path into the Store; the copy shares its
// disk blocks where the file system can (FICLONE), and is never a hard link: a
// later write to the original would change the blob under its digest.
func (s *Store) PutFile(ctx context.Context, path string, want digest.Digest) (digest.Digest, int64, error) {
	src, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer src.Close()
	// Most often it is there from the last build: then nothing is copied.
	d, n, err := copyHashed(ctx, nil, src)
	if err == nil {
		err = wanted(d, n, want)
	}
	if err != nil || s.holds(d, n) {
		return d, n, err
	}
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return "", 0, err
	}
	f, err := os.CreateTemp(filepath.Join(s.dir, "tmp"), "put-*")
	if err != nil {
		return "", 0, s.DiskFault(err, 0)
	}
	defer f.Close()
	defer os.Remove(f.Name())
	if unix.IoctlFileClone(int(f.Fd()), int(src.Fd())) != nil {
		return s.Put(ctx, src, want)
	}
	// The clone is hashed, not the original, which may change meanwhile.
	if d, n, err = copyHashed(ctx, nil, f); err != nil {
		return "", n, err
	}
	return d, n, s.settle(f, d, n, want)
}

// Adopt moves a finished file into the Store. It must lie on the Store's file
// system (TempDir, Partial) and nobody may write to it any more.
func (s *Store) Adopt(ctx context.Context, path string, want digest.Digest) (digest.Digest, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	d, n, err := copyHashed(ctx, nil, f)
	if err != nil {
		return "", n, err
	}
	err = s.settle(f, d, n, want)
	if err != nil || s.Has(d) {
		_ = os.Remove(path)
	}
	return d, n, err
}

// settle gives the temporary file f its name, or refuses it.
func (s *Store) settle(f *os.File, d digest.Digest, n int64, want digest.Digest) error {
	if err := wanted(d, n, want); err != nil {
		return err
	}
	if s.holds(d, n) {
		return nil // somebody else was first, with the same bytes
	}
	if err := f.Chmod(0o444); err != nil {
		return err
	}
	// The file must be on disk before its name is: a name is the promise that
	// the bytes were checked. A name lost in a crash only costs the work again,
	// so the folder itself is not synced.
	if err := f.Sync(); err != nil {
		return s.DiskFault(err, n)
	}
	return os.Rename(f.Name(), s.Path(d))
}

// holds tells whether the blob is there with that many bytes.
func (s *Store) holds(d digest.Digest, n int64) bool {
	size, err := s.Size(d)
	return err == nil && size == n
}

func wanted(d digest.Digest, n int64, want digest.Digest) error {
	if want != "" && d != want {
		return DigestMismatch.New("cannot keep %d bytes: have %s, need %s", n, d, want).
			Hint("the source changed or its bytes were damaged on the way; compare with what its maker publishes")
	}
	return nil
}

// copyHashed reads r to its end in 1 MiB pieces, hashes it and writes it to w
// unless that is nil.
func copyHashed(ctx context.Context, w io.Writer, r io.Reader) (digest.Digest, int64, error) {
	h := digest.New()
	buf := make([]byte, 1<<20)
	var total int64
	for {
		if err := ctx.Err(); err != nil {
			return "", total, err
		}
		n, err := fill(r, buf)
		h.Write(buf[:n])
		total += int64(n)
		if w != nil && n > 0 {
			if _, werr := w.Write(buf[:n]); werr != nil {
				return "", total, werr
			}
		}
		if err == io.EOF {
			return digest.FromSum(h.Sum(nil)), total, nil
		}
		if err != nil {
			return "", total, err
		}
	}
}

// fill reads until buf is full or r ends. Unlike io.ReadFull it leaves the
// reader's own error as it is: io.ErrUnexpectedEOF from a cut-off connection
// must not look like a short last piece.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	return n, err
}
