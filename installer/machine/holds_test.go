package machine

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

func TestDetectBlank(t *testing.T) {
	head := make([]byte, headSize)
	if got := Detect(head, make([]byte, 512)); got != nil {
		t.Errorf("zeros hold %v", got)
	}
	head[777_777] = 1
	if got := Detect(head, nil); !slices.Equal(got, []string{"data of an unknown kind"}) {
		t.Errorf("one byte holds %v", got)
	}
	tail := append([]byte("EFI PART"), make([]byte, 504)...)
	if got := Detect(make([]byte, headSize), tail); !slices.Equal(got, []string{"backup GPT"}) {
		t.Errorf("a lone backup table holds %v", got)
	}
}

// TestDetectForeign lets the formats' own tools make the bytes.
func TestDetectForeign(t *testing.T) {
	for _, c := range []struct {
		want string
		argv []string
	}{
		{"ext2/3/4 file system", []string{"mkfs.ext4", "-q", "-F", "IMG"}},
		{"FAT file system", []string{"mkfs.vfat", "-F", "32", "IMG"}},
		{"swap space", []string{"mkswap", "-q", "IMG"}},
		{"GPT partition table", []string{"sgdisk", "-n", "1:0:0", "IMG"}},
		{"MBR partition table", []string{"sh", "-c", "echo type=83 | sfdisk -q IMG"}},
	} {
		img := filepath.Join(t.TempDir(), "img")
		if err := os.WriteFile(img, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(img, 64<<20); err != nil {
			t.Fatal(err)
		}
		path, err := exec.LookPath(c.argv[0])
		if err != nil {
			t.Logf("%s is not installed: %s not judged", c.argv[0], c.want)
			continue
		}
		args := slices.Clone(c.argv[1:])
		last := len(args) - 1
		if args[last] == "IMG" {
			args[last] = img
		} else {
			args[last] = "echo type=83 | sfdisk -q " + img
		}
		if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", c.argv, err, out)
		}
		f, err := os.Open(img)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		head, tail := make([]byte, headSize), make([]byte, 512)
		if _, err := f.ReadAt(head, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := f.ReadAt(tail, 64<<20-512); err != nil {
			t.Fatal(err)
		}
		if got := Detect(head, tail); !slices.Contains(got, c.want) {
			t.Errorf("%v made %v, want %s", c.argv, got, c.want)
		}
	}
}

func FuzzDetect(f *testing.F) {
	f.Add([]byte("EFI PART"), []byte("EFI PART"))
	f.Add(make([]byte, 70000), []byte{})
	f.Fuzz(func(t *testing.T, head, tail []byte) {
		blank := len(Detect(head, tail)) == 0
		if zero := !slices.ContainsFunc(head, func(b byte) bool { return b != 0 }); blank && !zero {
			t.Error("a disk with data was called blank")
		}
	})
}
