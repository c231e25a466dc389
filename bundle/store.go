package bundle

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"caisson.dev/caisson/internal/digest"
)

// Store is the content-addressed cache of the low side: one file for each
// digest, written under a temporary name, checked, synced and renamed. It may
// be deleted at any time; everything in it can be made again from the Lock.
// Several programs may use one Store at once.
type Store struct{ dir string }

// OpenStore makes the folders that are missing below dir.
func OpenStore(dir string) (*Store, error) {
	for _, sub := range []string{"blobs/sha256", "memo", "tmp", "partial"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	return &Store{dir: dir}, nil
}

// Path is where the blob lies, whether or not it is there.
func (s *Store) Path(d digest.Digest) string { return filepath.Join(s.dir, "blobs", "sha256", d.Hex()) }

// Progress reports bytes done of a total for one named piece of work; total is
// 0 when not known. Safe for concurrent use.
type Progress func(name string, done, total int64)

// Source is a place bytes come from; package sources implements it.
type Source interface {
	// Resolve asks what exists and makes the Want exact.
	Resolve(ctx context.Context, w Want) (Pin, error)
	// Collect brings a Pin's bytes into the store, checked. It is idempotent and
	// resumes what an earlier run began.
	Collect(ctx context.Context, p Pin, s *Store, progress Progress) ([]Artifact, error)
}

// Open reads a blob; it satisfies images.Reader.
func (s *Store) Open(d digest.Digest) (io.ReadCloser, error) { return os.Open(s.Path(d)) }
