package esp

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/fault"
)

const epoch = 1793000000

func boot(size int) map[string][]byte {
	b := make([]byte, size)
	rand.NewChaCha8([32]byte{7}).Read(b)
	return map[string][]byte{
		"EFI/BOOT/BOOTX64.EFI": b[:size/3],
		"EFI/BOOT/grubx64.efi": b[size/3:],
		"EFI/BOOT/mmx64.efi":   b[:size/7],
		"boot/grub/grub.cfg":   []byte("set timeout=5\n"),
		"a long name here.txt": []byte("long"),
	}
}

func TestImage(t *testing.T) {
	for _, size := range []int{1000, 1 << 20, 4<<20 + 11, 20 << 20} {
		files := boot(size)
		image, err := Image(files, "CAISSON_ESP", epoch)
		if err != nil {
			t.Fatalf("%d: %v", size, err)
		}
		again, err := Image(files, "CAISSON_ESP", epoch)
		if err != nil || !bytes.Equal(image, again) {
			t.Errorf("%d: two images of the same files differ (%v)", size, err)
		}
		if len(image)%step != 0 || len(image) >= 32<<20 {
			t.Errorf("%d: have an image of %d bytes", size, len(image))
		}
		path := filepath.Join(t.TempDir(), "esp.img")
		if err := os.WriteFile(path, image, 0o600); err != nil {
			t.Fatal(err)
		}
		judge(t, path, files)
	}
}

// judge lets dosfstools and mtools read the image.
func judge(t *testing.T, path string, files map[string][]byte) {
	t.Helper()
	if _, err := exec.LookPath("fsck.vfat"); err != nil {
		t.Skip("fsck.vfat (dosfstools) is not installed")
	}
	if out, err := exec.Command("fsck.vfat", "-n", "-v", path).CombinedOutput(); err != nil {
		t.Errorf("fsck.vfat: %v\n%s", err, out)
	}
	if _, err := exec.LookPath("mtype"); err != nil {
		t.Skip("mtype (mtools) is not installed")
	}
	for p, want := range files {
		if got, err := exec.Command("mtype", "-i", path, "::/"+p).Output(); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: mtools reads %d bytes (%v), want %d", p, len(got), err, len(want))
		}
	}
	out, err := exec.Command("mdir", "-i", path, "-/", "-a", "::").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "CAISSON_ESP") {
		t.Errorf("mdir: %v\n%s", err, out)
	}
	for _, line := range strings.Split(string(out), "\n") {
		if strings.Contains(line, ":") && strings.Contains(line, "-") && !strings.Contains(line, "2026-10-26") && !strings.HasPrefix(line, "Directory") && !strings.Contains(line, "Serial") {
			t.Errorf("mdir shows another day: %s", line)
		}
	}
}

func TestRefused(t *testing.T) {
	one := map[string][]byte{"a": {1}}
	for _, c := range []struct {
		name  string
		files map[string][]byte
		label string
		epoch int64
		kind  fault.Kind
		want  string
	}{
		{"no label", one, "", epoch, Invalid, "label"},
		{"long label", one, "ABCDEFGHIJKL", epoch, Invalid, "label"},
		{"before FAT", one, "A", 0, Invalid, "1970"},
		{"absolute", map[string][]byte{"/a": {1}}, "A", epoch, Invalid, "path"},
		{"upwards", map[string][]byte{"../a": {1}}, "A", epoch, Invalid, "path"},
		{"empty", map[string][]byte{"a": nil}, "A", epoch, Invalid, "without content"},
		{"too large", map[string][]byte{"a": make([]byte, 31<<20)}, "A", epoch, TooLarge, "need 32505856 or fewer"},
	} {
		if _, err := Image(c.files, c.label, c.epoch); !c.kind.Is(err) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: have %v, want %s, %q", c.name, err, c.kind.Code, c.want)
		}
	}
}
