package system

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDiskRefused: a busy disk is told apart from one that cannot be opened.
func TestDiskRefused(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{unix.EBUSY, "DISK-IN-USE: cannot install to /dev/disk/by-id/x: something on this machine uses it, need it free\nhint: unmount its partitions; stop RAID, LVM and swap on it (lsblk /dev/vda shows them)"},
		{unix.EROFS, "SYSTEM-CALL: cannot open /dev/disk/by-id/x: open /dev/vda: read-only file system\nhint: is the disk write-protected?"},
	} {
		if got := notOpened("/dev/disk/by-id/x", "/dev/vda", &fs.PathError{Op: "open", Path: "/dev/vda", Err: c.err}); got.Error() != c.want {
			t.Errorf("have %q\nwant %q", got, c.want)
		}
	}
	if _, err := (Linux{}).OpenDisk(filepath.Join(t.TempDir(), "none")); !Write.Is(err) {
		t.Errorf("no disk: have %v, want SYSTEM-CALL", err)
	}
}

// TestOldPartitionsStay: a kernel that does not forget the old partitions stops
// the install. A plain file has no partitions to forget, so it refuses as well.
func TestOldPartitionsStay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(path, make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := Linux{}.OpenDisk(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Partition([]Extent{{Number: 1, Start: 0, Size: 4096}}); !DiskInUse.Is(err) || !strings.Contains(err.Error(), "cannot forget the old partitions of "+path) {
		t.Errorf("have %v, want DISK-IN-USE", err)
	}
}
