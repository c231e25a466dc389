package iso9660

import (
	"context"
	"errors"
	"hash"
	"io"
	"sync"
	"sync/atomic"
	"unsafe"

	"caisson.dev/caisson/internal/digest"
)

const (
	// A write is one whole chunk, from memory at a page's start to an offset that
	// is a multiple of it: what a file opened with O_DIRECT asks for (open(2)).
	chunkSize  = 4 << 20
	chunkAlign = 4096
	ringChunks = 4 // one being filled, three that the writer and the hashers may lag behind
)

// stream is the sequential output with its two running digests. The caller reads;
// writing, and each digest, have a goroutine of their own, so that a slow disk and
// the digests work at the same time. Memory is the ring and nothing else.
type stream struct {
	w     io.Writer
	at    int64 // bytes taken, of which the last fill are not written yet
	fill  int
	ring  [ringChunks]chunk
	next  int
	file  *hasher
	image *hasher // nil: the whole image's digest is not asked for

	full    chan job
	written chan struct{}
	failed  atomic.Pointer[error]
}

type chunk struct {
	buf  []byte
	busy sync.WaitGroup // who still reads buf
}

func newStream(w io.Writer, whole bool) *stream {
	s := &stream{w: w, file: newHasher(), full: make(chan job, ringChunks), written: make(chan struct{})}
	go s.write()
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

// close writes the rest and ends the hashers: every sum asked for has been handed
// over then. It gives the first error of a write.
func (s *stream) close() error {
	_ = s.flush()
	close(s.full)
	<-s.written
	s.file.close()
	if s.image != nil {
		s.image.close()
	}
	if err := s.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// room is where the next bytes go: never empty, and read by nobody.
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

// flush hands over what was taken. Its error is of an earlier chunk.
func (s *stream) flush() error {
	if s.fill == 0 {
		return nil
	}
	c := &s.ring[s.next]
	c.busy.Add(1)
	s.full <- job{data: c.buf[:s.fill], free: &c.busy}
	s.fill, s.next = 0, (s.next+1)%ringChunks
	if err := s.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// write writes the full chunks in their order, until the first that fails.
func (s *stream) write() {
	defer close(s.written)
	for j := range s.full {
		if s.failed.Load() == nil {
			n, err := s.w.Write(j.data)
			if err == nil && n < len(j.data) {
				err = io.ErrShortWrite
			}
			if err != nil {
				s.failed.Store(&err)
			}
		}
		j.free.Done()
	}
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
