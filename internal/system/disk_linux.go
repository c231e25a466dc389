package system

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// linuxDisk is a whole disk under two file descriptors: one that claims it
// (O_EXCL: the kernel refuses it while a partition is mounted or in a RAID), and
// one that carries the lock of systemd's "Locking Block Device Access", which
// keeps udev from probing or re-reading a half-made disk. The claim must end
// before a partition can be mounted; the lock stays to the end.
type linuxDisk struct {
	path  string // the kernel's own name: /dev/vda
	claim *os.File
	f     *os.File
}

func (Linux) OpenDisk(path string) (Disk, error) {
	name, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, Write.New("cannot open %s: %w", path, err)
	}
	claim, err := os.OpenFile(name, os.O_RDWR|unix.O_EXCL|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, notOpened(path, name, err)
	}
	f, err := os.OpenFile(name, os.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		claim.Close()
		return nil, Write.New("cannot open %s: %w", path, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		claim.Close()
		f.Close()
		return nil, Write.New("cannot lock %s: %w", path, err)
	}
	return &linuxDisk{path: name, claim: claim, f: f}, nil
}

// notOpened says why the disk at path, which the kernel calls name, was refused.
func notOpened(path, name string, err error) error {
	if errors.Is(err, unix.EBUSY) {
		return DiskInUse.New("cannot install to %s: something on this machine uses it, need it free", path).
			Hint("unmount its partitions; stop RAID, LVM and swap on it (lsblk %s shows them)", name)
	}
	return Write.New("cannot open %s: %w", path, err).Hint("is the disk write-protected?")
}

func (d *linuxDisk) ReadAt(p []byte, off int64) (int, error)  { return d.f.ReadAt(p, off) }
func (d *linuxDisk) WriteAt(p []byte, off int64) (int, error) { return d.f.WriteAt(p, off) }

func (d *linuxDisk) Sync() error {
	if err := d.f.Sync(); err != nil {
		return Write.New("cannot write to %s: %w", d.path, err).
			Hint("the disk reported a write error: see the kernel's messages, and replace the disk")
	}
	return nil
}

func (d *linuxDisk) Forget() error {
	if err := unix.IoctlSetInt(int(d.f.Fd()), unix.BLKFLSBUF, 0); err != nil {
		return Write.New("cannot drop the buffers of %s: %w", d.path, err)
	}
	return nil
}

// The argument of the BLKPG ioctl (Linux, include/uapi/linux/blkpg.h).
type blkpgArg struct {
	op      int32
	flags   int32
	datalen int32
	_       int32
	data    unsafe.Pointer
}

type blkpgPartition struct {
	start, length int64
	number        int32
	names         [128]byte // devname and volname: the kernel ignores both
	_             int32
}

const blkpgAdd = 1

func (d *linuxDisk) Partition(parts []Extent) ([]string, error) {
	// The table was wiped, so a re-read forgets every old partition.
	if err := unix.IoctlSetInt(int(d.claim.Fd()), unix.BLKRRPART, 0); err != nil {
		return nil, DiskInUse.New("cannot forget the old partitions of %s: %w", d.path, err).
			Hint("something still uses one of them; restart from the medium and try again")
	}
	var nodes []string
	for _, e := range parts {
		p := blkpgPartition{start: e.Start, length: e.Size, number: int32(e.Number)}
		arg := blkpgArg{op: blkpgAdd, datalen: int32(unsafe.Sizeof(p)), data: unsafe.Pointer(&p)}
		if _, _, no := unix.Syscall(unix.SYS_IOCTL, d.f.Fd(), unix.BLKPG, uintptr(unsafe.Pointer(&arg))); no != 0 {
			return nil, Write.New("cannot add partition %d to %s: %w", e.Number, d.path, no)
		}
		// devtmpfs makes the device file before the call returns: nothing to wait for.
		nodes = append(nodes, PartitionPath(d.path, e.Number))
	}
	err := d.claim.Close() // a claimed disk's partitions cannot be mounted
	d.claim = nil
	if err != nil {
		return nil, Write.New("cannot release %s: %w", d.path, err)
	}
	return nodes, nil
}

// PartitionPath is the kernel's name for a partition: a "p" goes between when
// the disk's name ends in a digit (block/partitions, disk_name).
func PartitionPath(disk string, n int) string {
	if last := disk[len(disk)-1]; last >= '0' && last <= '9' {
		return fmt.Sprintf("%sp%d", disk, n)
	}
	return fmt.Sprintf("%s%d", disk, n)
}

func (d *linuxDisk) Close() error {
	var err error
	if d.claim != nil {
		err = d.claim.Close()
	}
	// From here on the kernel's view is the table's: none after a failure, the
	// new one after an install. It may fail (a partition in use after a failure);
	// udev or the next boot then reads it.
	_ = unix.IoctlSetInt(int(d.f.Fd()), unix.BLKRRPART, 0)
	return errors.Join(err, d.f.Close())
}
