package bundle

import (
	"context"
	"io"
	"io/fs"

	"caisson.dev/caisson/internal/digest"
)

// readAhead hashes one piece while it reads the next: on a fast medium the
// processor is the limit, on a slow one the drive never waits. The buffers are
// made once for a whole medium.
type readAhead struct {
	free  chan []byte
	work  chan piece
	sums  chan digest.Digest
	ended chan struct{}
}

// piece is a filled buffer, or, without one, the end of a file.
type piece struct{ data []byte }

const (
	pieceSize = 1 << 20
	pieces    = 4
)

func newReadAhead() *readAhead {
	r := &readAhead{free: make(chan []byte, pieces), work: make(chan piece, pieces),
		sums: make(chan digest.Digest), ended: make(chan struct{})}
	for range pieces {
		r.free <- make([]byte, pieceSize)
	}
	go r.sum()
	return r
}

// sum is the hashing half.
func (r *readAhead) sum() {
	defer close(r.ended)
	h := digest.New()
	for p := range r.work {
		if p.data == nil {
			r.sums <- digest.FromSum(h.Sum(nil))
			h.Reset()
			continue
		}
		h.Write(p.data)
		r.free <- p.data[:pieceSize]
	}
}

func (r *readAhead) stop() {
	close(r.work)
	<-r.ended
}

// hash reads one file and gives its digest. A file that is longer than the
// manifest says is an error as soon as that shows.
func (r *readAhead) hash(ctx context.Context, medium fs.FS, f File, advance func(int64)) (digest.Digest, error) {
	file, err := medium.Open(f.Path)
	if err != nil {
		return "", unreadable(f, 0, err).Hint(rewrite)
	}
	defer file.Close()
	var n int64
	for err == nil {
		if err = ctx.Err(); err != nil {
			break
		}
		buf := <-r.free
		var got int
		got, err = fill(file, buf)
		n += int64(got)
		r.work <- piece{data: buf[:got]}
		if n > f.Size {
			err = MediaDamaged.New("cannot use %s: have more than %d bytes, need %d", f.Path, f.Size, f.Size).Hint(rewrite)
			break
		}
		advance(int64(got))
	}
	r.work <- piece{}
	have := <-r.sums
	switch {
	case err == io.EOF:
		return have, nil
	case MediaDamaged.Is(err):
		return "", err
	}
	return "", unreadable(f, n, err).Hint(rewrite)
}
