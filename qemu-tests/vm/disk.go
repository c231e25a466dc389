package vm

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// extents calls do for each stretch of f that holds data (lseek(2), SEEK_DATA);
// holes are skipped, so that an empty disk of any size costs nothing.
func extents(f *os.File, do func(start, end int64) error) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	for at := int64(0); at < info.Size(); {
		start, err := unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil // nothing but a hole until the end
		}
		if err != nil {
			return fmt.Errorf("cannot look for data in %s: %w", f.Name(), err)
		}
		end, err := unix.Seek(int(f.Fd()), start, unix.SEEK_HOLE)
		if err != nil {
			return fmt.Errorf("cannot look for holes in %s: %w", f.Name(), err)
		}
		if err := do(start, end); err != nil {
			return err
		}
		at = end
	}
	return nil
}

var errNotBlank = errors.New("a byte is not zero")

// Blank tells whether every byte of a disk file is zero: the judge of "the disk
// was not touched".
func Blank(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	err = extents(f, func(start, end int64) error {
		r := io.NewSectionReader(f, start, end-start)
		for {
			n, err := r.Read(buf)
			for _, b := range buf[:n] {
				if b != 0 {
					return errNotBlank
				}
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
		}
	})
	if errors.Is(err, errNotBlank) {
		return false, nil
	}
	return err == nil, err
}

// CopySparse copies a disk or medium file, holes as holes, so that a test can
// damage the copy.
func CopySparse(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	err = out.Truncate(info.Size())
	if err == nil {
		err = extents(in, func(start, end int64) error {
			_, err := io.Copy(io.NewOffsetWriter(out, start), io.NewSectionReader(in, start, end-start))
			return err
		})
	}
	if err != nil {
		out.Close()
		return fmt.Errorf("cannot copy %s to %s: %w", from, to, err)
	}
	return out.Close()
}

// FlipBit changes one bit of the byte at offset: the smallest damage there is.
func FlipBit(path string, offset int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	b := make([]byte, 1)
	if _, err = f.ReadAt(b, offset); err == nil {
		b[0] ^= 0x10
		_, err = f.WriteAt(b, offset)
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("cannot damage %s at byte %d: %w", path, offset, err)
	}
	return f.Close()
}
