package iso9660

import (
	"context"
	"errors"
	"hash"
	"io"
	"sync"
	"unsafe"

	"caisson.dev/caisson/internal/digest"
)

const (
	// A write is one whole chunk, from memory at a page's start to an offset that
	// is a multiple of it: what a file opened with O_DIRECT asks for (open(2)).
	chunkSize  = 4 << 20
	chunkAlign = 4096
	ringChunks = 4 // one being filled or written, three that the hashers may lag behind
)

// stream is the sequential output with its two running digests. Reading and
// writing happen on the caller's goroutine, each digest on one of its own: on
// two free cores the digests cost no time. Memory is the ring and nothing else.
type stream struct {
	w     io.Writer
	at    int64 // bytes taken, of which the last fill are not written yet
	fill  int
	ring  [ringChunks]chunk
	next  int
	file  *hasher
	image *hasher // nil: the whole image's digest is not asked for
}

type chunk struct {
	buf  []byte
	busy sync.WaitGroup // hashers that still read buf
}

func newStream(w io.Writer, whole bool) *stream {
	s := &stream{w: w, file: newHasher()}
	for i := range s.ring {
		s.ring[i].buf = aligned(chunkSize)
	}
	if whole {
		s.image = newHasher()
	}
	return s
}

// aligned is n bytes of memory that begin at a multiple of chunkAlign.
func aligned(n int) []byte {
	b := make([]byte, n+chunkAlign)
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) % chunkAlign
	return b[skip:][:n:n]
}

// close ends the hashers; every sum asked for has been handed over then.
func (s *stream) close() {
	s.file.close()
	if s.image != nil {
		s.image.close()
	}
}

// room is where the next bytes go: never empty, and read by no hasher.
func (s *stream) room() []byte {
	c := &s.ring[s.next]
	if s.fill == 0 {
		c.busy.Wait()
	}
	return c.buf[s.fill:]
}

// took says that the first n bytes of room are filled.
func (s *stream) took(n int, toFile bool) error {
	c := &s.ring[s.next]
	data := c.buf[s.fill:][:n]
	if toFile {
		s.file.add(c, data)
	}
	if s.image != nil {
		s.image.add(c, data)
	}
	s.fill, s.at = s.fill+n, s.at+int64(n)
	if s.fill < chunkSize {
		return nil
	}
	return s.flush()
}

// flush writes what was taken.
func (s *stream) flush() error {
	if s.fill == 0 {
		return nil
	}
	n, err := s.w.Write(s.ring[s.next].buf[:s.fill])
	if err == nil && n < s.fill {
		err = io.ErrShortWrite
	}
	s.fill, s.next = 0, (s.next+1)%ringChunks
	return err
}

// bytes writes b.
func (s *stream) bytes(b []byte) error {
	for len(b) > 0 {
		n := copy(s.room(), b)
		if err := s.took(n, false); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// zeros writes zero bytes up to the offset to.
func (s *stream) zeros(to int64) error {
	for s.at < to {
		room := s.room()
		room = room[:min(to-s.at, int64(len(room)))]
		clear(room)
		if err := s.took(len(room), false); err != nil {
			return err
		}
	}
	return nil
}

// copy moves exactly size bytes; fewer give io.ErrUnexpectedEOF.
func (s *stream) copy(ctx context.Context, r io.Reader, size int64, toFile bool, tick func(n int64)) error {
	for size > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		room := s.room()
		n, err := io.ReadFull(r, room[:min(size, int64(len(room)))])
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		if err := s.took(n, toFile); err != nil {
			return err
		}
		size -= int64(n)
		tick(int64(n))
	}
	return nil
}

// hasher computes one digest after the other, in the order of its jobs.
type hasher struct {
	jobs chan job
	done chan struct{}
}

type job struct {
	data   []byte
	free   *sync.WaitGroup
	finish func(digest.Digest)
}

func newHasher() *hasher {
	h := &hasher{jobs: make(chan job, ringChunks), done: make(chan struct{})}
	go func() {
		defer close(h.done)
		var sum hash.Hash = digest.New()
		for j := range h.jobs {
			if j.finish != nil {
				j.finish(digest.FromSum(sum.Sum(nil)))
				sum.Reset()
				continue
			}
			sum.Write(j.data)
			j.free.Done()
		}
	}()
	return h
}

func (h *hasher) add(c *chunk, data []byte) {
	c.busy.Add(1)
	h.jobs <- job{data: data, free: &c.busy}
}

// sum hands the digest of what was added since the last sum to finish, later.
func (h *hasher) sum(finish func(digest.Digest)) { h.jobs <- job{finish: finish} }

func (h *hasher) close() {
	close(h.jobs)
	<-h.done
}
