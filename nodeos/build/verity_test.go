package build

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestVerityAgainstVeritysetup lets cryptsetup's own tool judge: it must verify
// our tree, and make the same one from the same salt and UUID.
func TestVerityAgainstVeritysetup(t *testing.T) {
	tool, err := exec.LookPath("veritysetup")
	if err != nil {
		t.Skip("veritysetup (cryptsetup-bin) is not installed")
	}
	salt := bytes.Repeat([]byte{7}, 32)
	uuid := [16]byte{1, 2, 3, 4, 5, 6, 0x80, 8, 0x80, 10, 11, 12, 13, 14, 15, 16}
	// One block, less than a hash block's worth, exactly one, one more, three levels.
	for _, blocks := range []int{1, 2, 127, 128, 129, 128*128 + 1} {
		t.Run(fmt.Sprint(blocks), func(t *testing.T) {
			data := make([]byte, blocks*blockSize)
			for i := range data {
				data[i] = byte(i >> 7)
			}
			v, err := verityOf(bytes.NewReader(data), salt, uuid)
			if err != nil {
				t.Fatal(err)
			}
			var tree bytes.Buffer
			if err := v.writeTo(&tree); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			ours, theirs := filepath.Join(dir, "ours"), filepath.Join(dir, "theirs")
			for path, b := range map[string][]byte{ours: append(data[:len(data):len(data)], tree.Bytes()...), theirs: data} {
				if err := os.WriteFile(path, b, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			offset := fmt.Sprintf("--hash-offset=%d", len(data))
			if out, err := exec.Command(tool, "verify", offset, ours, ours, v.root()).CombinedOutput(); err != nil {
				t.Errorf("veritysetup does not accept our tree: %v %s", err, out)
			}
			if out, err := exec.Command(tool, "format", offset, "--salt="+hex.EncodeToString(salt),
				"--uuid=01020304-0506-8008-800a-0b0c0d0e0f10", theirs, theirs).CombinedOutput(); err != nil {
				t.Fatalf("veritysetup format: %v %s", err, out)
			}
			want, err := os.ReadFile(theirs)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(want[len(data):], tree.Bytes()) {
				t.Errorf("our tree differs from veritysetup's: have %d bytes, want %d", tree.Len(), len(want)-len(data))
			}
		})
	}
}
