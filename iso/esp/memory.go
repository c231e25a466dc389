package esp

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/diskfs/go-diskfs/backend"
)

// memory is a disk of fixed size in memory, as go-diskfs wants to see it.
type memory struct {
	b  []byte
	at int64
}

var errRange = errors.New("outside the image")

func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > int64(len(m.b)) {
		return 0, errRange
	}
	n := copy(p, m.b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 || off+int64(len(p)) > int64(len(m.b)) {
		return 0, errRange
	}
	return copy(m.b[off:], p), nil
}

func (m *memory) Read(p []byte) (int, error) {
	n, err := m.ReadAt(p, m.at)
	m.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (m *memory) Seek(off int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		off += m.at
	case io.SeekEnd:
		off += int64(len(m.b))
	}
	if off < 0 {
		return m.at, errRange
	}
	m.at = off
	return off, nil
}

func (m *memory) Close() error                            { return nil }
func (m *memory) Stat() (fs.FileInfo, error)              { return shape{int64(len(m.b))}, nil }
func (m *memory) Sys() (*os.File, error)                  { return nil, backend.ErrNotSuitable }
func (m *memory) Path() string                            { return "" }
func (m *memory) Writable() (backend.WritableFile, error) { return m, nil }

// shape answers Stat: a regular file of a size.
type shape struct{ size int64 }

func (s shape) Name() string       { return "esp.img" }
func (s shape) Size() int64        { return s.size }
func (s shape) Mode() fs.FileMode  { return 0o600 }
func (s shape) ModTime() time.Time { return time.Time{} }
func (s shape) IsDir() bool        { return false }
func (s shape) Sys() any           { return nil }
