package iso

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/newfile"
	"caisson.dev/caisson/iso/iso9660"
	"caisson.dev/caisson/iso/isotest"
)

func TestWriteFileIsAllOrNothing(t *testing.T) {
	d, err := New(medium(t))
	if err != nil {
		t.Fatal(err)
	}
	i, err := d.Seal(sealed())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "x.iso")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("a disk that fails")
	f := i.draft.given["caisson/caisson.yaml"]
	f.Open = func() (io.ReadCloser, error) { return nil, broken }
	i.draft.given[f.Path] = f
	if _, err := i.WriteFile(context.Background(), path, iso9660.Options{}); !errors.Is(err, broken) {
		t.Fatalf("have %v, want the error of the source", err)
	}
	left, _ := os.ReadDir(dir)
	if old, _ := os.ReadFile(path); string(old) != "old" || len(left) != 1 {
		t.Errorf("have %q and %d files, want the old file alone", old, len(left))
	}
	if _, err := i.WriteFile(context.Background(), "/dev/null", iso9660.Options{}); !newfile.Unwritable.Is(err) {
		t.Errorf("have %v, want OUTPUT-UNWRITABLE for a device", err)
	}
	f.Open = given(f.Path, []byte("kind: Enclave\n")).Open
	i.draft.given[f.Path] = f
	res, err := i.WriteFile(context.Background(), path, iso9660.Options{Whole: true})
	if got, n, err2 := digest.File(path); err != nil || err2 != nil || got != res.Digest || n != i.Size() {
		t.Errorf("have %s, %v, %v, want %s", got, err, err2, res.Digest)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*Medium)
		want string
	}{
		{"release", func(m *Medium) { m.Release = "a/b" }, "MEDIUM-INVALID: cannot make a medium: have release"},
		{"title", func(m *Medium) { m.Title = "it's" }, "have title"},
		{"no entries", func(m *Medium) { m.Entries = nil }, "no entry"},
		{"two entries", func(m *Medium) { m.Entries[1].ID = "install" }, `have entry "install"`},
		{"quote", func(m *Medium) { m.Command = "a='b'" }, "kernel command line"},
		{"long line", func(m *Medium) { m.Command = strings.Repeat("a ", 1100) }, "2199 characters"},
		{"no kernel", func(m *Medium) { m.Files = m.Files[1:] }, "no file boot/vmlinuz"},
		{"no digest", func(m *Medium) { m.Files[2].Digest = "" }, `have digest ""`},
		{"label", func(m *Medium) { m.Label = "x" }, "ISO-ENTRY: cannot label"},
		{"same path", func(m *Medium) { m.Files = append(m.Files, given(InfoPath, nil)) }, "have it twice"},
		{"no shim", func(m *Medium) { m.EFI.Shim = []byte("text") }, "BOOT-PIECE: cannot use shim: have 4 bytes"},
		{"unsigned", func(m *Medium) { m.EFI.Grub = isotest.Program("g", 0x8664, 0) }, "cannot use GRUB: have a program without a signature"},
		{"arm", func(m *Medium) { m.EFI.MokManager = isotest.Program("g", 0xAA64, 8) }, "cannot use MokManager: have a program for machine 0xaa64"},
		{"large", func(m *Medium) { m.EFI.Grub = append(isotest.Program("g", 0x8664, 8), make([]byte, 32<<20)...) }, "ESP-TOO-LARGE"},
		{"no boot code", func(m *Medium) { m.BIOS = &BIOS{MBR: make([]byte, 512), Image: m.BIOS.Image} }, "cannot use boot_hybrid.img"},
		{"no core", func(m *Medium) { m.BIOS = &BIOS{MBR: m.BIOS.MBR} }, "cannot use eltorito.img"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := medium(t)
			c.edit(&m)
			if _, err := New(m); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("have %v, want %q", err, c.want)
			}
		})
	}
	d, err := New(medium(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Seal(map[string][]byte{manifest: nil}); !BadMedium.Is(err) {
		t.Errorf("have %v, want MEDIUM-INVALID for a missing sealed file", err)
	}
	for _, skip := range []string{"eltorito.img", "normal.mod", "fs.lst"} {
		r := rescue(t, skip)
		if _, err := ReadBIOS(bytes.NewReader(r), int64(len(r)), nil); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("have no %s", skip)) {
			t.Errorf("have %v, want one that names %s", err, skip)
		}
	}
	if _, err := ReadBIOS(strings.NewReader(""), 0, nil); !BadPiece.Is(err) || !iso9660.Foreign.Is(err) {
		t.Errorf("have %v, want BOOT-PIECE and ISO-FOREIGN", err)
	}
}

func TestUEFIOnly(t *testing.T) {
	m := medium(t)
	m.BIOS = nil
	_, b := build(t, m)
	if b[0] != 0 || b[462] != 0 {
		t.Error("there is boot code without GRUB for BIOS")
	}
	if cat := b[19*iso9660.SectorSize:]; cat[0] != 1 || cat[1] != 0xEF || cat[32] != 0x88 {
		t.Errorf("the boot catalog begins % x", cat[:64])
	}
}

// TestMenuOnTheSerialLine: the menu is on the port that the kernel writes to, at its
// speed, and on none where the kernel has none.
func TestMenuOnTheSerialLine(t *testing.T) {
	for command, want := range map[string]string{
		"console=tty0 console=ttyS1,9600":      "serial --unit=1 --speed=9600;",
		"console=ttyS0,115200 caisson.tui=off": "serial --unit=0 --speed=115200;",
		"console=tty0":                         "",
		"xconsole=ttyS0,9600":                  "",
	} {
		config := string(grubConfig(Medium{Release: "r", Command: command, Entries: []Entry{{ID: "a", Title: "A"}}}))
		if want == "" && strings.Contains(config, "serial") || !strings.Contains(config, want) {
			t.Errorf("%q:\n%s\nneed %q", command, config, want)
		}
	}
}
