package disk

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/gpt"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/nodeos"
)

func request(total size.Bytes) Request {
	return Request{
		Disk: "/dev/disk/by-id/virtio-1", DiskSize: total, SectorSize: 512,
		Slot: 300 * size.MiB, State: 2 * size.GiB, Seed: "demo-1/node-1",
	}
}

func TestMake(t *testing.T) {
	r := request(0)
	least := Least(r)
	if want := 512*size.MiB + 600*size.MiB + 2*size.GiB + 2*size.MiB; least != want {
		t.Fatalf("Least = %d, want %d", least, want)
	}
	for _, extra := range []size.Bytes{0, 512, size.MiB - 512, size.MiB, size.TiB} {
		r := request(least + extra)
		table, err := Make(r)
		if err != nil {
			t.Fatalf("disk of %d bytes: %v", r.DiskSize, err)
		}
		next := int64(Align)
		for i, name := range []string{nodeos.ESP, nodeos.SlotA, nodeos.SlotB, nodeos.State} {
			n, start, length := Extent(table, name)
			if n != i+1 || start != next || start%int64(Align) != 0 || length%int64(Align) != 0 {
				t.Errorf("disk of %d bytes: %s is number %d at %d of %d bytes, want number %d at %d", r.DiskSize, name, n, start, length, i+1, next)
			}
			next = start + length
		}
		if _, _, state := Extent(table, nodeos.State); size.Bytes(state) < r.State {
			t.Errorf("disk of %d bytes: STATE is %d", r.DiskSize, state)
		}
		if last := table.Partitions[3].Last; last > table.LastUsable() {
			t.Errorf("disk of %d bytes: STATE ends at %d, table at %d", r.DiskSize, last, table.LastUsable())
		}
		if _, err := table.Primary(); err != nil {
			t.Errorf("disk of %d bytes: %v", r.DiskSize, err)
		}
	}
}

func TestMakeRefuses(t *testing.T) {
	small := request(Least(request(0)) - 512)
	if _, err := Make(small); !TooSmall.Is(err) || !strings.Contains(err.Error(), "holds 3315596800 bytes, need 3315597312 bytes") {
		t.Errorf("one sector too small: %v", err)
	}
	big := request(size.TiB)
	big.SectorSize = 4096
	if _, err := Make(big); !SectorSize.Is(err) {
		t.Errorf("4096-byte sectors: %v", err)
	}
}

func TestGUIDsAreDerived(t *testing.T) {
	a, _ := Make(request(8 * size.GiB))
	b, _ := Make(request(8 * size.GiB))
	other := request(8 * size.GiB)
	other.Seed = "demo-1/node-2"
	c, _ := Make(other)
	if a.DiskGUID != b.DiskGUID || a.Partitions[3].GUID != b.Partitions[3].GUID {
		t.Error("the same request gave two tables")
	}
	if a.DiskGUID == c.DiskGUID || a.Partitions[3].GUID == c.Partitions[3].GUID {
		t.Error("two nodes got one GUID")
	}
}

// TestForeignReaders lets two other programs read the table from a disk image.
func TestForeignReaders(t *testing.T) {
	table, err := Make(request(8 * size.GiB))
	if err != nil {
		t.Fatal(err)
	}
	img := filepath.Join(t.TempDir(), "disk")
	f, err := os.Create(img)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	primary, _ := table.Primary()
	backup, _ := table.Backup()
	for _, err := range []error{
		f.Truncate(table.Sectors * gpt.SectorSize), write(f, primary, 0),
		write(f, backup, (table.Sectors-gpt.BackupSectors)*gpt.SectorSize),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	run := func(argv ...string) string {
		path, err := exec.LookPath(argv[0])
		if err != nil {
			t.Skipf("%s is not installed", argv[0])
		}
		out, err := exec.Command(path, argv[1:]...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", argv, err, out)
		}
		return string(out)
	}
	if out := run("sgdisk", "-v", img); !strings.Contains(out, "No problems found") {
		t.Errorf("sgdisk:\n%s", out)
	}
	out := run("sfdisk", "-d", img)
	for _, want := range []string{"label: gpt", `name="ESP"`, `name="SLOT_A"`, `name="SLOT_B"`, `name="STATE"`, "start=        2048, size=     1048576"} {
		if !strings.Contains(out, want) {
			t.Errorf("sfdisk lacks %q:\n%s", want, out)
		}
	}
}

func write(f *os.File, b []byte, at int64) error {
	_, err := f.WriteAt(b, at)
	return err
}
