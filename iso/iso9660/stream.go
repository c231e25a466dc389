package iso9660

import (
	"context"
	"errors"
	"hash"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"caisson.dev/caisson/internal/digest"
)

const (
	chunkSize  = 1 << 20
	ringChunks = 4 // one being filled or written, three that the hashers may lag behind
	directStep = 64 << 20
)

// stream is the sequential output with its two running digests. Reading and
// writing happen on the caller's goroutine, each digest on one of its own: on
// two free cores the digests cost no time. Memory is the ring and nothing else.
type stream struct {
	w     io.Writer
	at    int64
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
		s.ring[i].buf = make([]byte, chunkSize)
	}
	if whole {
		s.image = newHasher()
	}
	return s
}

// close ends the hashers; every sum asked for has been handed over then.
func (s *stream) close() {
	s.file.close()
	if s.image != nil {
		s.image.close()
	}
}

// chunk is the next buffer that no hasher reads any more.
func (s *stream) chunk() *chunk {
	c := &s.ring[s.next]
	s.next = (s.next + 1) % ringChunks
	c.busy.Wait()
	return c
}

// emit writes the first n bytes of c.
func (s *stream) emit(c *chunk, n int, toFile bool) error {
	if toFile {
		s.file.add(c, n)
	}
	if s.image != nil {
		s.image.add(c, n)
	}
	m, err := s.w.Write(c.buf[:n])
	s.at += int64(m)
	if err == nil && m < n {
		err = io.ErrShortWrite
	}
	return err
}

// bytes writes b.
func (s *stream) bytes(b []byte) error {
	for len(b) > 0 {
		c := s.chunk()
		n := copy(c.buf, b)
		if err := s.emit(c, n, false); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// zeros writes zero bytes up to the offset to.
func (s *stream) zeros(to int64) error {
	for s.at < to {
		c := s.chunk()
		n := int(min(to-s.at, chunkSize))
		clear(c.buf[:n])
		if err := s.emit(c, n, false); err != nil {
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
		c := s.chunk()
		n, err := io.ReadFull(r, c.buf[:min(size, chunkSize)])
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		if err := s.emit(c, n, toFile); err != nil {
			return err
		}
		size -= int64(n)
		tick(int64(n))
	}
	return nil
}

// direct lets the kernel move the bytes (copy_file_range, which shares blocks
// where the file system can). It applies only if no digest needs to see them.
func (s *stream) direct(ctx context.Context, r io.Reader, size int64, tick func(n int64)) (bool, error) {
	out, ok := s.w.(*os.File)
	in, ok2 := r.(*os.File)
	if !ok || !ok2 || s.image != nil {
		return false, nil
	}
	for size > 0 {
		if err := ctx.Err(); err != nil {
			return true, err
		}
		n, err := out.ReadFrom(&io.LimitedReader{R: in, N: min(size, directStep)})
		// The disk begins to write while the next piece is copied. Advice only.
		_ = unix.SyncFileRange(int(out.Fd()), s.at, n, unix.SYNC_FILE_RANGE_WRITE)
		s.at += n
		if err == nil && n == 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return true, err
		}
		size -= n
		tick(n)
	}
	return true, nil
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

func (h *hasher) add(c *chunk, n int) {
	c.busy.Add(1)
	h.jobs <- job{data: c.buf[:n], free: &c.busy}
}

// sum hands the digest of what was added since the last sum to finish, later.
func (h *hasher) sum(finish func(digest.Digest)) { h.jobs <- job{finish: finish} }

func (h *hasher) close() {
	close(h.jobs)
	<-h.done
}
