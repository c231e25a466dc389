package iso9660

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/diskfs/go-diskfs/backend/file"
	diskiso "github.com/diskfs/go-diskfs/filesystem/iso9660"

	"caisson.dev/caisson/internal/digest"
)

const epoch = 1793000000 // 2026-10-25

// tree is a small medium with the names that are hard for the format.
func tree() map[string][]byte {
	long := strings.Repeat("n", nameMax)
	random := make([]byte, 3<<20+17)
	rand.NewChaCha8([32]byte{1}).Read(random)
	t := map[string][]byte{
		"boot/vmlinuz":       random[:200_001],
		"boot/grub/grub.cfg": []byte("set timeout=5\n"),
		".disk/info":         []byte("info\n"),
		"empty":              {},
		"Upper.TXT":          []byte("u"),
		"upper.txt":          []byte("l"),
		"caisson/blobs/sha256/" + digest.Of(random).Hex():    random,
		"a/b/c/d/e/f/g/h/i/j/deep":                           []byte("deep"),
		"names/" + long:                                      []byte("long"),
		"names/grüße von weit.tar.gz":                        []byte("utf-8"),
		"names/no_extension":                                 []byte("1"),
		"names/no_extension.":                                []byte("2"),
		"names/a-file-whose-name-is-longer-than-iso-allows1": []byte("3"),
		"names/a-file-whose-name-is-longer-than-iso-allows2": []byte("4"),
	}
	for i := range 120 { // a directory of several sectors
		t[fmt.Sprintf("many/%03d-%s.json", i, strings.Repeat("x", i%40))] = []byte(fmt.Sprint(i))
	}
	return t
}

// volume plans the files in an order of its own, not that of the names.
func volume(files map[string][]byte) Volume {
	v := Volume{Label: "CAISSON_TEST", Application: "CAISSON TEST", Epoch: epoch, Tail: 33 * 512, Align: 1 << 20}
	for _, p := range []string{"caisson", "boot", ""} {
		for _, name := range sortedKeys(files) {
			if first, _, _ := strings.Cut(name, "/"); first == p || p == "" && first != "caisson" && first != "boot" {
				v.Entries = append(v.Entries, Entry{Path: name, Size: int64(len(files[name]))})
			}
		}
	}
	return v
}

func sortedKeys(m map[string][]byte) []string { return slices.Sorted(maps.Keys(m)) }

func content(files map[string][]byte) Content {
	return Content{Source: func(p string) (Source, error) {
		b := files[p]
		return Source{Digest: digest.Of(b), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}, nil
	}}
}

func image(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	l, err := Plan(volume(files))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	res, err := l.Write(context.Background(), &out, content(files), Options{Whole: true})
	if err != nil {
		t.Fatal(err)
	}
	if int64(out.Len()) != l.Size() || res.Size != l.Size() || res.Digest != digest.Of(out.Bytes()) {
		t.Fatalf("have %d bytes and %+v, want %d", out.Len(), res.Digest, l.Size())
	}
	for _, f := range res.Files {
		if b := out.Bytes()[f.Extent.Offset:][:f.Extent.Size]; f.Digest != digest.Of(b) || !bytes.Equal(b, files[f.Path]) {
			t.Errorf("%s does not lie at %+v", f.Path, f.Extent)
		}
	}
	return out.Bytes()
}

func TestSameBytesTwice(t *testing.T) {
	a, b := image(t, tree()), image(t, tree())
	if !bytes.Equal(a, b) {
		t.Error("two images of one tree differ")
	}
}

func TestReadBack(t *testing.T) {
	files := tree()
	b := image(t, files)
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if f.Label() != "CAISSON_TEST" || f.Application() != "CAISSON TEST" || f.Size() != int64(len(b)) {
		t.Errorf("have %q, %q, %d", f.Label(), f.Application(), f.Size())
	}
	if err := fstest.TestFS(f, sortedKeys(files)...); err != nil {
		t.Error(err)
	}
	if got, want := len(f.Files()), len(files); got != want {
		t.Errorf("have %d files, want %d", got, want)
	}
	v := volume(files)
	for i, p := range f.Files() {
		if len(files[p]) > 0 && len(files[v.Entries[i].Path]) > 0 && p != v.Entries[i].Path {
			t.Errorf("file %d in data order is %s, want %s", i, p, v.Entries[i].Path)
		}
		got, err := fs.ReadFile(f, p)
		if err != nil || !bytes.Equal(got, files[p]) {
			t.Errorf("%s differs (%v)", p, err)
		}
		st, err := f.Stat(p)
		if err != nil || st.Mode() != 0o444 || st.ModTime().Unix() != epoch {
			t.Errorf("%s: %v %v %v", p, err, st.Mode(), st.ModTime())
		}
	}
}

func write(t testing.TB, b []byte) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "image.iso")
	if err := os.WriteFile(p, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestXorrisoExtractsTheSame(t *testing.T) {
	if _, err := exec.LookPath("xorriso"); err != nil {
		t.Skip("xorriso is not installed")
	}
	files := tree()
	path, dir := write(t, image(t, files)), filepath.Join(t.TempDir(), "out")
	out, err := exec.Command("xorriso", "-abort_on", "WARNING", "-osirrox", "on", "-indev", path, "-extract", "/", dir).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Volume id    : 'CAISSON_TEST'") {
		t.Fatalf("xorriso: %v\n%s", err, out)
	}
	// xorriso keeps the read-only modes; the test must be able to clean up.
	defer exec.Command("chmod", "-R", "u+w", dir).Run()
	n := 0
	err = filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		n++
		rel, _ := filepath.Rel(dir, p)
		got, err := os.ReadFile(p)
		if want, ok := files[rel]; !ok || !bytes.Equal(got, want) {
			t.Errorf("%s differs", rel)
		}
		return err
	})
	if err != nil || n != len(files) {
		t.Errorf("have %d files (%v), want %d", n, err, len(files))
	}
}

func TestGoDiskfsReadsTheSame(t *testing.T) {
	files := tree()
	b := image(t, files)
	f, err := os.Open(write(t, b))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	other, err := diskiso.Read(file.New(f, true), int64(len(b)), 0, SectorSize)
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range files {
		if strings.HasSuffix(p, ".") {
			continue // go-diskfs takes the dot off before it looks
		}
		got, err := other.ReadFile(p)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: have %d bytes (%v), want %d", p, len(got), err, len(want))
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	ok := Entry{Path: "a", Size: 1}
	for _, c := range []struct {
		name string
		v    Volume
		want string
	}{
		{"no label", Volume{Epoch: epoch}, "cannot label"},
		{"lower-case label", Volume{Label: "caisson", Epoch: epoch}, "cannot label"},
		{"no time", Volume{Label: "X"}, "1980"},
		{"absolute", Volume{Label: "X", Epoch: epoch, Entries: []Entry{{Path: "/a"}}}, "clean"},
		{"upwards", Volume{Label: "X", Epoch: epoch, Entries: []Entry{{Path: "../a"}}}, "clean"},
		{"twice", Volume{Label: "X", Epoch: epoch, Entries: []Entry{ok, ok}}, "twice"},
		{"file and directory", Volume{Label: "X", Epoch: epoch, Entries: []Entry{ok, {Path: "a/b"}}}, "as a directory"},
		{"directory and file", Volume{Label: "X", Epoch: epoch, Entries: []Entry{{Path: "a/b"}, ok}}, "twice"},
		{"negative", Volume{Label: "X", Epoch: epoch, Entries: []Entry{{Path: "a", Size: -1}}}, "size -1"},
		{"long name", Volume{Label: "X", Epoch: epoch, Entries: []Entry{{Path: strings.Repeat("n", nameMax+1)}}}, "131 bytes"},
		{"newline", Volume{Label: "X", Epoch: epoch, Entries: []Entry{{Path: "a\nb"}}}, "printable"},
		{"deep", Volume{Label: "X", Epoch: epoch, Entries: []Entry{{Path: strings.Repeat("d/", 40) + "f"}}}, "41 levels"},
		{"boot image missing", Volume{Label: "X", Epoch: epoch, Boot: []Boot{{BIOS, "x"}}}, "no such file"},
		{"over 8 TiB", Volume{Label: "X", Epoch: epoch, Entries: []Entry{{Path: "a", Size: 9 << 40}}}, "2^32"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Plan(c.v); err == nil || !strings.Contains(err.Error(), c.want) || !BadEntry.Is(err) {
				t.Errorf("have %v, want ISO-ENTRY with %q", err, c.want)
			}
		})
	}
}
