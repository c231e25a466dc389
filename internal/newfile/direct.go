package newfile

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// directBlock is the size that lengths and offsets are multiples of where a file
// is written past the page cache; no disk of today asks for more (open(2)).
const directBlock = 4096

// PastCache is a writer to f from its start. Whole blocks go past the page cache
// (O_DIRECT) where the file system can: a medium is written once, is to be on disk
// before it gets its name, and is larger than much of what its pages would push
// out. The rest, and all of it where the file system cannot, goes the usual way.
func PastCache(f *os.File) io.Writer {
	d := &direct{f: f}
	d.on = d.set(true) == nil
	return d
}

type direct struct {
	f  *os.File
	on bool
}

func (d *direct) Write(p []byte) (int, error) {
	if d.on && len(p)%directBlock != 0 {
		if err := d.off(); err != nil {
			return 0, err
		}
	}
	n, err := d.f.Write(p)
	if d.on && n == 0 && errors.Is(err, unix.EINVAL) { // promised, and not held
		if err := d.off(); err != nil {
			return 0, err
		}
		n, err = d.f.Write(p)
	}
	return n, err
}

// off is for the rest of the file: its offset may be no multiple any more.
func (d *direct) off() error {
	d.on = false
	return d.set(false)
}

func (d *direct) set(on bool) error {
	raw, err := d.f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0)
		if err == nil {
			flags &^= unix.O_DIRECT
			if on {
				flags |= unix.O_DIRECT
			}
			_, err = unix.FcntlInt(fd, unix.F_SETFL, flags)
		}
		failed = err
	})
	return errors.Join(err, failed)
}
