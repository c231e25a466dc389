// Package system is what an installer does to a machine, as one narrow
// interface: open a disk, run a program, mount, write a file. Linux is the real
// one; package fake records the calls, so that order and every interruption are
// tests that need no root and no disk.
//
// It decides nothing and knows nothing of plans: installer/apply, the
// interpreter of a confirmed plan, is its caller.
package system

import (
	"context"
	"io"
	"io/fs"
)

// System acts on one machine. Paths are absolute. Every method returns only
// when the thing is done, or says why not.
type System interface {
	// OpenDisk opens a whole disk for writing. It fails if anything on the
	// machine uses the disk or one of its partitions, and keeps udev off it
	// until Close.
	OpenDisk(path string) (Disk, error)
	// Run runs a program to its end; a failure carries the end of its output.
	Run(ctx context.Context, c Command) error
	Mount(m Mount) error
	Unmount(target string) error
	// MkdirAll makes a folder of root's, and those above it that are missing; gid
	// is its group.
	MkdirAll(path string, mode fs.FileMode, gid int) error
	// WriteFile makes a file, its folders too, of all that r gives. A mode of 0
	// leaves the mode to the file system (FAT has none).
	WriteFile(path string, mode fs.FileMode, r io.Reader) error
	// Open reads a file back from the device, not from memory.
	Open(path string) (io.ReadCloser, error)
	// Sync writes everything in the file system that holds path to its device.
	Sync(path string) error
}

// Disk is a whole disk, held for us alone.
type Disk interface {
	io.ReaderAt
	io.WriterAt
	// Sync returns when the device says that all is on stable storage.
	Sync() error
	// Forget drops what memory holds of the disk, so that the next read comes
	// from the device.
	Forget() error
	// Partition tells the kernel of partitions that no table on the disk names,
	// and returns their device files, in order. Earlier ones are forgotten; it
	// fails if one of them is in use.
	Partition(parts []Extent) ([]string, error)
	// Close ends the hold; udev then sees the disk as it is.
	Close() error
}

// Extent is a run of bytes on a disk.
type Extent struct {
	Number int // partition number, from 1
	Start  int64
	Size   int64
}

// Command is a program with its arguments, and what is added to its
// environment. There is no shell.
type Command struct {
	Argv []string
	Env  []string
	// Show says what of a line of output may be logged or put into an error; nil
	// shows all, an empty result drops the line.
	Show func(line string) string
}

// Mount is one call of mount(2); Options are those of the file system.
type Mount struct {
	Source, Target, Type, Options string
	ReadOnly, Bind                bool
}
