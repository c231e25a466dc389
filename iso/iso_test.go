package iso

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/internal/gpt"
	"caisson.dev/caisson/internal/judge"
	"caisson.dev/caisson/iso/iso9660"
	"caisson.dev/caisson/iso/isotest"
)

const epoch = 1793000000

// rescue is an ISO with the files that ReadBIOS takes from Debian's.
func rescue(t testing.TB, skip string) []byte {
	b, err := isotest.Rescue(MenuModules, skip)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func given(path string, b []byte) File {
	return File{Path: path, Size: int64(len(b)), Digest: digest.Of(b), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
}

const manifest = "caisson/manifest.json"

// medium is a small one with all there is.
func medium(t testing.TB) Medium {
	r := rescue(t, "")
	bios, err := ReadBIOS(bytes.NewReader(r), int64(len(r)), isotest.Hybrid())
	if err != nil {
		t.Fatal(err)
	}
	blob := bytes.Repeat([]byte("blob"), 100_000)
	return Medium{
		Label: "CAISSON_0123ABCD", Release: "demo-0123456789ab", Title: "Demo enclave (UNCLASSIFIED)", Epoch: epoch,
		Files: []File{
			given(KernelPath, []byte("kernel")), given(InitrdPath, bytes.Repeat([]byte("initrd"), 30_000)),
			given("caisson/blobs/sha256/"+digest.Of(blob).Hex(), blob), given("caisson/caisson.yaml", []byte("kind: Enclave\n")),
		},
		Sealed:  []string{manifest, manifest + ".minisig"},
		EFI:     EFI{isotest.Program("shim", isotest.X8664, 8), isotest.Program("grub", isotest.X8664, 8), isotest.Program("mm", isotest.X8664, 8)},
		BIOS:    bios,
		Command: "root=live:CDLABEL=CAISSON_0123ABCD rd.live.image  caisson.live console=tty0 console=ttyS0,115200",
		Entries: []Entry{{"install", "Install this node", ""}, {"rescue", "Rescue shell", "systemd.unit=rescue.target caisson.note=a;b"}},
	}
}

func sealed() map[string][]byte {
	return map[string][]byte{manifest: bytes.Repeat([]byte("{}\n"), 5000), manifest + ".minisig": []byte("untrusted comment: x\n")}
}

func build(t testing.TB, m Medium) (*Draft, []byte) {
	t.Helper()
	d, err := New(m)
	if err != nil {
		t.Fatal(err)
	}
	i, err := d.Seal(sealed())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	res, err := i.WriteTo(context.Background(), &out, iso9660.Options{Whole: true})
	if err != nil {
		t.Fatal(err)
	}
	if res.Size != i.Size() || res.Size != int64(out.Len()) || res.Digest != digest.Of(out.Bytes()) {
		t.Fatalf("have %d bytes with %s, want %d", out.Len(), res.Digest, i.Size())
	}
	return d, out.Bytes()
}

func TestSameBytesTwice(t *testing.T) {
	_, a := build(t, medium(t))
	_, b := build(t, medium(t))
	if !bytes.Equal(a, b) {
		t.Error("two images of one medium differ")
	}
}

// TestFilesNamesAll: what a manifest is made from is all that lies there.
func TestFilesNamesAll(t *testing.T) {
	d, b := build(t, medium(t))
	f, err := iso9660.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	on, want := f.Files(), d.Files()
	if len(on) != len(want)+2 || on[len(on)-2] != manifest {
		t.Fatalf("have %d files ending in %q, want %d and the sealed ones", len(on), on[len(on)-2:], len(want))
	}
	for i, l := range want {
		file, err := f.Open(l.Path)
		if err != nil {
			t.Fatal(err)
		}
		if got, n, err := digest.Reader(file); err != nil || got != l.Digest || n != l.Size {
			t.Errorf("%s: have %s and %d bytes (%v), want %s and %d", l.Path, got, n, err, l.Digest, l.Size)
		}
		if on[i] != l.Path {
			t.Errorf("file %d lies as %s, want %s", i, on[i], l.Path)
		}
	}
}

func TestMenu(t *testing.T) {
	d, err := New(medium(t))
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "grub.cfg", d.Boot()[ConfigPath])
	golden.Equal(t, "info", d.Boot()[InfoPath])
	check := judge.Need(t, "grub-script-check", "grub-common")
	if out, err := exec.Command(check, "testdata/grub.cfg").CombinedOutput(); err != nil {
		t.Errorf("grub-script-check: %v\n%s", err, out)
	}
}

func TestPartitions(t *testing.T) {
	_, b := build(t, medium(t))
	table, err := gpt.Parse(bytes.NewReader(b), int64(len(b))/gpt.SectorSize)
	if err != nil || table.Damaged != "" || len(table.Partitions) != 2 {
		t.Fatalf("have %+v, %v", table, err)
	}
	esp := b[table.Partitions[0].First*512 : (table.Partitions[0].Last+1)*512]
	if !bytes.Equal(esp[510:512], []byte{0x55, 0xAA}) || string(esp[54:59]) != "FAT12" {
		t.Errorf("partition 1 is no FAT: % x", esp[:64])
	}
	if b[462] != 0x80 || b[466] != 0 || b[0] != 0xEB {
		t.Errorf("the MBR has no boot code or no active entry: % x", b[440:512])
	}
	if _, err := exec.LookPath("sgdisk"); err != nil {
		t.Skip("sgdisk is not installed")
	}
	path := filepath.Join(t.TempDir(), "x.iso")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("sgdisk", "-v", path).CombinedOutput(); err != nil || !strings.Contains(string(out), "No problems found") {
		t.Errorf("sgdisk: %v\n%s", err, out)
	}
}

// TestBootRecords lets xorriso say what firmware will find.
func TestBootRecords(t *testing.T) {
	if _, err := exec.LookPath("xorriso"); err != nil {
		t.Skip("xorriso is not installed")
	}
	_, b := build(t, medium(t))
	path := filepath.Join(t.TempDir(), "x.iso")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("xorriso", "-abort_on", "WARNING", "-indev", path, "-report_el_torito", "plain", "-report_system_area", "plain").CombinedOutput()
	for _, want := range []string{
		"El Torito boot img :   1  BIOS  y   none", "El Torito boot img :   2  UEFI  y   none",
		"El Torito img path :   1  /boot/grub/i386-pc/eltorito.img", "El Torito img path :   2  /boot/grub/efi.img",
		"boot-info-table grub2-boot-info", "grub2-mbr", "GPT partition path :   1  /boot/grub/efi.img",
	} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("xorriso (%v) does not say %q:\n%s", err, want, out)
		}
	}
}
