package vm

import (
	"io"
	"os"

	"caisson.dev/caisson/internal/size"
)

// Missing is a file that a machine needs and that is not there: a copy of From,
// or a sparse file of Size bytes.
type Missing struct {
	Path string
	From string
	Size size.Bytes
}

// make makes the file; one that has come to be there meanwhile is not touched.
func (m Missing) make() error {
	f, err := os.OpenFile(m.Path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return StartFailed.New("cannot make %s for the virtual machine: %w", m.Path, err)
	}
	if m.From == "" {
		err = f.Truncate(int64(m.Size))
	} else {
		err = copyInto(f, m.From)
	}
	if err != nil {
		f.Close()
		_ = os.Remove(m.Path) // half a store would be taken for a whole one
		return StartFailed.New("cannot make %s for the virtual machine: %w", m.Path, err)
	}
	return f.Close()
}

func copyInto(f *os.File, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.Copy(f, in)
	return err
}
