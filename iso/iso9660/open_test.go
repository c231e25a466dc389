package iso9660

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
)

// xorrisoReads compares one file with what xorriso reads of the image. xorriso
// gives it to sha256sum through a pipe: a file over 4 GiB needs no room on a disk.
func xorrisoReads(t *testing.T, iso, name string, want digest.Digest) {
	t.Helper()
	if _, err := exec.LookPath("xorriso"); err != nil {
		t.Log("xorriso is not installed: only our own reader judged the image")
		return
	}
	sha256sum, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command("xorriso", "-osirrox", "on", "-indev", iso, "-concat", "pipe", "+", sha256sum, "+", name, "--")
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("xorriso: %v\n%s", err, said.String())
	}
	if got, _, _ := strings.Cut(string(out), " "); "sha256:"+got != string(want) {
		t.Errorf("xorriso reads %s as %s, want %s", name, out, want)
	}
}

func TestOpenRefuses(t *testing.T) {
	good := image(t, map[string][]byte{"d/file": bytes.Repeat([]byte("x"), 9000), "e": []byte("e")})
	l, err := Plan(volume(map[string][]byte{"d/file": make([]byte, 9000), "e": []byte("e")}))
	if err != nil {
		t.Fatal(err)
	}
	root, d := l.root.sector*SectorSize, l.byPath["d"].sector*SectorSize
	// entry is where the record of the first child stands: behind "." and "..".
	entry := func(dir int64) int64 {
		first := int64(good[dir])
		return dir + first + int64(good[dir+first])
	}
	put := func(at int64, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { both32(b[at:], v); return b }
	}
	set := func(at int64, v byte) func([]byte) []byte {
		return func(b []byte) []byte { b[at] = v; return b }
	}
	for _, c := range []struct {
		name string
		edit func([]byte) []byte
		want fault.Kind
	}{
		{"cut to half", func(b []byte) []byte { return b[:len(b)/2] }, Truncated},
		{"one byte missing", func(b []byte) []byte { return b[:len(b)-1] }, Truncated},
		{"empty", func([]byte) []byte { return nil }, Foreign},
		{"zeros", func(b []byte) []byte { clear(b); return b }, Foreign},
		{"gzip", func(b []byte) []byte { return []byte("\x1f\x8b") }, Foreign},
		{"no terminator", func(b []byte) []byte { b[16*SectorSize] = 3; b[17*SectorSize] = 3; return b }, Foreign},
		{"block size", func(b []byte) []byte { both16(b[16*SectorSize+128:], 512); return b }, Foreign},
		{"root far away", put(16*SectorSize+156+2, 1<<30), Broken},
		{"root in the system area", put(16*SectorSize+156+2, 3), Broken},
		{"file out of range", put(entry(d)+2, 1<<31), Broken},
		{"file too long", put(entry(d)+10, 1<<31), Broken},
		{"byte orders differ", set(entry(d)+3, 0xEE), Broken},
		{"directory loop", put(entry(root)+2, uint32(l.root.sector)), Broken},
		{"record over the edge", set(entry(d), 255), Broken},
		{"name longer than record", set(entry(d)+32, 250), Broken},
		{"slash in a name", func(b []byte) []byte {
			return bytes.Replace(b, []byte("NM\x09\x01\x00file"), []byte("NM\x09\x01\x00f/le"), 1)
		}, Broken},
		{"parent as a name", func(b []byte) []byte {
			return bytes.Replace(b, []byte("NM\x09\x01\x00file"), []byte("NM\x07\x01\x00..\x00\x00"), 1)
		}, Broken},
		{"two of one name", func(b []byte) []byte {
			return bytes.Replace(b, []byte("NM\x06\x01\x00e"), []byte("NM\x06\x01\x00d"), 1)
		}, Broken},
		{"field too long", func(b []byte) []byte { return bytes.Replace(b, []byte("NM\x09"), []byte("NM\xF0"), 1) }, Broken},
		{"last part missing", set(entry(d)+25, flagMore), Broken},
		{"interleaved", set(entry(d)+26, 1), Broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := c.edit(bytes.Clone(good))
			_, err := Open(bytes.NewReader(b), int64(len(b)))
			if !c.want.Is(err) {
				t.Errorf("have %v, want %s", err, c.want.Code)
			}
		})
	}
}

// A device is longer than the image that was written to it.
func TestOpenOnLargerMedium(t *testing.T) {
	b := image(t, map[string][]byte{"e": []byte("e")})
	f, err := Open(bytes.NewReader(append(b, make([]byte, 12345)...)), int64(len(b))+12345)
	if err != nil || f.Size() != int64(len(b)) {
		t.Errorf("have %v, want an image of %d bytes", err, len(b))
	}
}

// TestReadsXorriso opens an image of another writer, with links and long names.
func TestReadsXorriso(t *testing.T) {
	if _, err := exec.LookPath("xorriso"); err != nil {
		t.Skip("xorriso is not installed")
	}
	dir := t.TempDir()
	src, iso := filepath.Join(dir, "src"), filepath.Join(dir, "x.iso")
	long := "names/" + string(bytes.Repeat([]byte("q"), 240)) // needs a continuation area
	files := map[string][]byte{"a.txt": []byte("a"), long: []byte("long"), "empty": {}}
	for p, b := range files {
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(src, p)), 0o755), os.WriteFile(filepath.Join(src, p), b, 0o640)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("a.txt", filepath.Join(src, "link")); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("xorriso", "-as", "mkisofs", "-R", "-J", "-V", "THEIRS", "-o", iso, src).CombinedOutput(); err != nil {
		t.Fatalf("xorriso: %v\n%s", err, out)
	}
	b, err := os.ReadFile(iso)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range files {
		got, err := fs.ReadFile(f, p)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: have %q (%v)", p, got, err)
		}
	}
	st, err := f.Stat("link")
	if err != nil || st.Mode().Type() != fs.ModeSymlink {
		t.Errorf("link: have %v, %v", st, err)
	}
	if _, err := f.Open("link"); err == nil {
		t.Error("the link is opened as a file")
	}
}

// FuzzOpen changes one run of bytes in an image and reads all that is named.
func FuzzOpen(f *testing.F) {
	files := map[string][]byte{"d/e/file": []byte("content"), "x": []byte("y")}
	l, err := Plan(Volume{Label: "FUZZ", Epoch: epoch, Entries: []Entry{{Path: "d/e/file", Size: 7}, {Path: "x", Size: 1}}})
	if err != nil {
		f.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := l.Write(context.Background(), &out, content(files), Options{}); err != nil {
		f.Fatal(err)
	}
	whole := out.Bytes()
	meta := whole[SystemArea:] // what is before it is not read
	f.Add(uint32(0), []byte{1}, uint16(0))
	f.Add(uint32(l.root.sector*SectorSize-SystemArea), meta[l.root.sector*SectorSize-SystemArea:][:300], uint16(1))
	f.Add(uint32(l.er*SectorSize-SystemArea), binary.LittleEndian.AppendUint32(nil, 7), uint16(3000))
	f.Fuzz(func(t *testing.T, at uint32, change []byte, cut uint16) {
		b := bytes.Clone(whole)
		copy(b[SystemArea+int(at)%len(meta):], change)
		b = b[:len(b)-int(cut)%len(b)]
		fsys, err := Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if len(fault.All(err)) == 0 {
				t.Errorf("a damaged medium gives an error with no code: %v", err)
			}
			return
		}
		for _, p := range fsys.Files() {
			st, err := fsys.Stat(p)
			if err != nil || st.Size() < 0 {
				t.Fatalf("%s: %v", p, err)
			}
			if st.Size() > int64(len(b)) || st.Mode().Type() != 0 {
				continue
			}
			if got, err := fs.ReadFile(fsys, p); err != nil || int64(len(got)) != st.Size() {
				t.Errorf("%s: have %d bytes (%v), want %d", p, len(got), err, st.Size())
			}
		}
	})
}
