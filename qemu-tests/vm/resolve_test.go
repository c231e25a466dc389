package vm

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/size"
)

func TestFindFirmware(t *testing.T) {
	place := func(paths ...string) func(string) bool {
		return func(p string) bool {
			for _, have := range paths {
				if have == p {
					return true
				}
			}
			return false
		}
	}
	const code, vars = "/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd", "/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd"
	got, err := FindFirmware(UEFISecureBoot, place(code, vars))
	if err != nil || got != (FirmwareFiles{code, vars}) {
		t.Errorf("have %v, %v; want Fedora's pair", got, err)
	}
	if got, err := FindFirmware(BIOS, place()); err != nil || got != (FirmwareFiles{}) {
		t.Errorf("BIOS: have %v, %v; want none and no error", got, err)
	}
	// Half a pair is none: a variable store of another build does not start.
	_, err = FindFirmware(UEFI, place("/usr/share/OVMF/OVMF_CODE_4M.fd"))
	if !FirmwareMissing.Is(err) || !strings.Contains(err.Error(), "ovmf") {
		t.Errorf("have %v, want %s with the package's name", err, FirmwareMissing.Code)
	}
}

func TestResolveMakesSparseDisksAndPrivateVariables(t *testing.T) {
	dir := t.TempDir()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	shared := filepath.Join(dir, "shared.fd")
	if err := os.WriteFile(shared, []byte("variables"), 0o444); err != nil {
		t.Fatal(err)
	}
	copied := Missing{Path: filepath.Join(dir, "mine.fd"), From: shared}
	if err := copied.make(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied.Path, []byte("enrolled"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := copied.make(); !StartFailed.Is(err) {
		t.Errorf("second time: have %v, want %s", err, StartFailed.Code)
	}
	if b, _ := os.ReadFile(copied.Path); string(b) != "enrolled" {
		t.Errorf("second start: have %q, want what the first start wrote", b)
	}

	disk := Disk{Path: filepath.Join(dir, "disk.img"), Size: 24 * size.GiB}
	c, err := Resolve(Config{Program: program, Firmware: BIOS, Dir: filepath.Join(dir, "vm"), Disks: []Disk{disk}})
	if err != nil {
		t.Fatal(err)
	}
	if c.Memory != 4*size.GiB || c.Dir == "" {
		t.Errorf("have %+v, want defaults", c)
	}
	if blank, err := Blank(disk.Path); err != nil || !blank {
		t.Errorf("new disk: have blank=%v, %v; want true", blank, err)
	}
}

// TestLookMakesNothing: what `caisson boot --print` shows is only words.
func TestLookMakesNothing(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	disk := Disk{Path: filepath.Join(dir, "disk.img"), Size: 24 * size.GiB}
	c, missing, err := Look(Config{Program: program, Firmware: BIOS, Dir: filepath.Join(dir, "vm"), Disks: []Disk{disk}})
	if err != nil || len(missing) != 1 || missing[0] != (Missing{Path: disk.Path, Size: disk.Size}) {
		t.Errorf("have %+v, %v, want the disk", missing, err)
	}
	if _, err := Argv(c); err != nil {
		t.Error(err)
	}
	if there, _ := os.ReadDir(dir); len(there) != 0 {
		t.Errorf("have %v, want nothing made", there)
	}
	// With firmware at hand: its variables are a copy of this machine's own.
	c, missing, err = Look(Config{Program: program, Firmware: UEFI, Dir: dir})
	if FirmwareMissing.Is(err) {
		t.Skip("needs OVMF (package ovmf)")
	}
	if err != nil || len(missing) != 1 || missing[0].Path != c.Files.Vars || c.Files.Vars != filepath.Join(dir, "uefi-vars.fd") || missing[0].From == "" {
		t.Errorf("have %+v, %+v, %v, want a copy of the variable store", c.Files, missing, err)
	}
}

func TestResolveRefuses(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, tt := range []struct {
		name string
		c    Config
		code string
	}{
		{"no such program", Config{Program: "qemu-of-nowhere"}, QEMUMissing.Code},
		{"no such medium", Config{Program: program, Firmware: BIOS, Dir: dir, Media: []Medium{{Path: dir + "/no.iso"}}}, ConfigWrong.Code},
		{"disk without size", Config{Program: program, Firmware: BIOS, Dir: dir, Disks: []Disk{{Path: dir + "/d"}}}, ConfigWrong.Code},
	} {
		if _, err := Resolve(tt.c); err == nil || !strings.HasPrefix(err.Error(), tt.code) {
			t.Errorf("%s: have %v, want %s", tt.name, err, tt.code)
		}
	}
}

func TestBlankAndCopySparse(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	f, err := os.Create(from)
	if err != nil {
		t.Fatal(err)
	}
	const length = 3 << 30
	if err := f.Truncate(length); err != nil {
		t.Fatal(err)
	}
	// Zeros that were written are still blank: the content counts.
	if _, err := f.WriteAt(make([]byte, 4096), 1<<20); err != nil {
		t.Fatal(err)
	}
	if blank, err := Blank(from); err != nil || !blank {
		t.Errorf("zeros: have %v, %v; want blank", blank, err)
	}
	mark := bytes.Repeat([]byte("mark"), 1024)
	for _, at := range []int64{0, 1<<31 + 12345, length - int64(len(mark))} {
		if _, err := f.WriteAt(mark, at); err != nil {
			t.Fatal(err)
		}
	}
	f.Close()
	if blank, err := Blank(from); err != nil || blank {
		t.Errorf("marked: have %v, %v; want not blank", blank, err)
	}
	if err := CopySparse(to, from); err != nil {
		t.Fatal(err)
	}
	a, b := allocated(t, from), allocated(t, to)
	if b > a+1<<20 {
		t.Errorf("copy takes %d bytes, the original %d", b, a)
	}
	g, err := os.Open(to)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	for _, at := range []int64{0, 1<<31 + 12345, length - int64(len(mark))} {
		got := make([]byte, len(mark))
		if _, err := g.ReadAt(got, at); err != nil || !bytes.Equal(got, mark) {
			t.Errorf("at %d: have %q..., %v", at, got[:8], err)
		}
	}
	if info, _ := g.Stat(); info.Size() != length {
		t.Errorf("have %d bytes, want %d", info.Size(), int64(length))
	}
}

// TestKVMNeedsTheProcessor: a device node alone is no accelerator.
func TestKVMNeedsTheProcessor(t *testing.T) {
	for _, tt := range []struct {
		cpuinfo string
		want    bool
	}{
		{"processor\t: 0\nflags\t\t: fpu vme svm\n", true},
		{"processor\t: 0\nflags\t\t: fpu vmx vme\n", true},
		{"processor\t: 0\nvmx flags\t: vnmi\nflags\t\t: fpu vme hypervisor svm_lock\n", false},
		{"", false},
	} {
		if got := virtualizes(tt.cpuinfo); got != tt.want {
			t.Errorf("%q: have %v, want %v", tt.cpuinfo, got, tt.want)
		}
	}
}
