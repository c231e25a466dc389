//go:build e2e

package scenarios

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/qemu-tests/vm"
)

// wantCodes fails unless exactly these codes were reported.
func wantCodes(t *testing.T, events []vm.Seen, want ...string) {
	t.Helper()
	if have := codes(events); !slices.Equal(have, want) {
		t.Errorf("have codes %v, want %v", have, want)
	}
}

// TestBIOSSaysWhatIsNeeded: the firmware is set to legacy boot. The stick starts
// all the same, and says what to change.
func TestBIOSSaysWhatIsNeeded(t *testing.T) {
	events := refused(t, "bios", vm.Config{
		Firmware: vm.BIOS,
		Media:    []vm.Medium{{Path: *isoFlag, Attach: vm.Stick}, answers(t, vm.Stick)},
		Disks:    []vm.Disk{blankDisk(t, diskSize)},
	})
	wantCodes(t, events, "FIRMWARE-BIOS")
	if m, _ := find(events, "machine"); m.Data["firmware"] != "bios" {
		t.Errorf("have firmware %q, want bios", m.Data["firmware"])
	}
}

// TestDiskTooSmall: the ISO was written to a disk of the machine, and the other
// disk cannot hold what is carried. Both sizes are in the message.
func TestDiskTooSmall(t *testing.T) {
	events := refused(t, "too-small", vm.Config{
		Media: []vm.Medium{{Path: *isoFlag, Attach: vm.Drive}, answers(t, vm.Optical)},
		Disks: []vm.Disk{blankDisk(t, 4*size.GiB)},
	})
	wantCodes(t, events, "DISK-TOO-SMALL")
	if e, _ := find(events, "error"); !strings.Contains(e.Message, "4.0 GiB") || !strings.Contains(e.Message, "need") {
		t.Errorf("have %q, want what the disk holds and what is needed", e.Message)
	}
}

// TestDiskHoldsData: the disk is large enough and has a partition table; consent
// was for a blank one. Not a byte of it changes. The medium is in an optical
// drive, under enforced Secure Boot.
func TestDiskHoldsData(t *testing.T) {
	disk := vm.Disk{Path: filepath.Join(t.TempDir(), "disk.img"), Serial: diskSerial}
	f, err := os.Create(disk.Path)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := os.Truncate(disk.Path, int64(diskSize)); err != nil {
		t.Fatal(err)
	}
	tool(t, "sgdisk", "--new=1:0:+1G", "--change-name=1:payroll", disk.Path)
	before := content(t, disk.Path)
	v := boot(t, "holds-data", vm.Config{
		Firmware: vm.UEFISecureBoot,
		Media:    []vm.Medium{optical(*isoFlag), answers(t, vm.Optical)}, Disks: []vm.Disk{disk},
	})
	if _, err := v.WaitEvent(within(t, toInstaller), "the installer's start", vm.Named("start")); err != nil {
		t.Fatal(err)
	}
	_, events, err := v.WaitDone(within(t, toMediaOK))
	if err != nil {
		t.Fatal(err)
	}
	v.Kill()
	wantCodes(t, events, "DISK-NOT-BLANK")
	if after := content(t, disk.Path); after != before {
		t.Errorf("the disk changed: have %s, want %s", after.Short(), before.Short())
	}
}

// content is the digest of the first GiB, where tables and the partition are,
// and of the last MiB, where the backup table is.
func content(t *testing.T, path string) digest.Digest {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := digest.New()
	for _, part := range []struct{ from, n int64 }{{0, int64(size.GiB)}, {int64(diskSize - size.MiB), int64(size.MiB)}} {
		buf := make([]byte, 1<<20)
		for at := part.from; at < part.from+part.n; at += int64(len(buf)) {
			if _, err := f.ReadAt(buf, at); err != nil {
				t.Fatal(err)
			}
			h.Write(buf)
		}
	}
	return digest.FromSum(h.Sum(nil))
}

// stick is the recording that TestSecureBootFromUSBStick and TestNoDisk share:
// the same ISO as a USB stick, answers on a second one, Secure Boot enforced
// with stock keys, and no disk in the machine.
var stick once[[]vm.Seen]

func theStick(t *testing.T) []vm.Seen {
	t.Helper()
	return stick.get(t, func() []vm.Seen {
		return refused(t, "stick", vm.Config{
			Firmware: vm.UEFISecureBoot,
			Media:    []vm.Medium{{Path: *isoFlag, Attach: vm.Stick}, answers(t, vm.Stick)},
		})
	})
}

// TestNoDisk: the machine has no disk but the stick it started from, and that
// one is never taken.
func TestNoDisk(t *testing.T) {
	wantCodes(t, theStick(t), "NO-DISK")
}

// TestSecureBootFromUSBStick: the ISO written to a stick starts the installer
// under enforced Secure Boot, and so does the disk that it installed.
func TestSecureBootFromUSBStick(t *testing.T) {
	t.Run("the stick starts the installer", func(t *testing.T) {
		events := theStick(t)
		m, _ := find(events, "machine")
		if m.Data["firmware"] != "uefi" || m.Data["secureBoot"] != "on" {
			t.Errorf("have firmware %q with Secure Boot %q, want uefi and on", m.Data["firmware"], m.Data["secureBoot"])
		}
		if _, ok := find(events, "media.ok"); !ok {
			t.Error("the medium was not read to the end from the stick")
		}
	})
	t.Run("the installed disk starts", func(t *testing.T) {
		disk := installedDisk(t)
		v := boot(t, "disk", vm.Config{Firmware: vm.UEFISecureBoot, Disks: []vm.Disk{disk}})
		if _, err := v.WaitEvent(within(t, toHealth), "a word from the node", fromNode); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("a changed kernel on the disk does not start", func(t *testing.T) {
		disk := installedDisk(t)
		damageKernel(t, disk.Path)
		v := boot(t, "changed-kernel", vm.Config{Firmware: vm.UEFISecureBoot, Disks: []vm.Disk{disk}})
		if started(t, v) {
			t.Error("a kernel with one changed bit was started under Secure Boot")
		}
	})
}

// damageKernel flips one bit in the middle of the kernel on the boot partition.
func damageKernel(t *testing.T, disk string) {
	t.Helper()
	kernel := "::/caisson/" + inspect(t).manifest.OS.Version + "/vmlinuz"
	local := filepath.Join(t.TempDir(), "vmlinuz")
	esp := onESP(t, disk)
	tool(t, "mcopy", "-n", "-i", esp, kernel, local)
	info, err := os.Stat(local)
	if err != nil {
		t.Fatal(err)
	}
	if err := vm.FlipBit(local, info.Size()/2); err != nil {
		t.Fatal(err)
	}
	tool(t, "mcopy", "-o", "-i", esp, local, kernel)
}
