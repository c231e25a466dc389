package newfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

func put(text string) func(*os.File) error {
	return func(f *os.File) error {
		_, err := f.WriteString(text)
		return err
	}
}

func TestWriteIsAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "new", "folder", "x.iso")
	if err := Write(path, put("one")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := Write(path, func(f *os.File) error { return errors.Join(put("half")(f), broken) }); !errors.Is(err, broken) || Unwritable.Is(err) {
		t.Errorf("have %v, want the error of fill as it is", err)
	}
	if b, _ := os.ReadFile(path); string(b) != "one" || names(t, filepath.Dir(path)) != "x.iso" {
		t.Errorf("have %q in %q, want the old file alone", b, names(t, filepath.Dir(path)))
	}
	if err := Write(path, put("two")); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(path)
	if b, _ := os.ReadFile(path); err != nil || string(b) != "two" || st.Mode() != 0o644 || names(t, filepath.Dir(path)) != "x.iso" {
		t.Errorf("have %q with %v in %q, want the new file alone", b, st.Mode(), names(t, filepath.Dir(path)))
	}
}

// TestKilledWriterLeavesNothing looks while a file is being written: what has no
// name goes with the process.
func TestKilledWriterLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	f, err := os.OpenFile(dir, unix.O_TMPFILE|os.O_RDWR, 0o600)
	if err != nil {
		t.Skipf("needs a file system with O_TMPFILE: %v", err)
	}
	f.Close()
	err = Write(filepath.Join(dir, "x"), func(f *os.File) error {
		if there := names(t, dir); there != "" {
			t.Errorf("have %q while writing, want nothing", there)
		}
		return nil
	})
	if err != nil || names(t, dir) != "x" {
		t.Errorf("have %q, %v", names(t, dir), err)
	}
}

// TestNamedTemporary is the way of file systems without O_TMPFILE.
func TestNamedTemporary(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	f, err := os.CreateTemp(dir, ".x.*")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	name := f.Name()
	if err := settle(f, &name, path); err != nil || names(t, dir) != "x" {
		t.Errorf("have %q, %v", names(t, dir), err)
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, path, says string }{
		{"a folder", dir, "have a folder there"},
		{"a device", "/dev/null", "have a device"},
		{"below a file", filepath.Join(file, "x"), "not a directory"},
		{"a file system that takes none", "/proc/x.iso", "no such file"},
	} {
		if err := Check(tt.path); !Unwritable.Is(err) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: Check: have %v, want %s with %q", tt.name, err, Unwritable.Code, tt.says)
		}
		if err := Write(tt.path, put("x")); !Unwritable.Is(err) {
			t.Errorf("%s: Write: have %v, want %s", tt.name, err, Unwritable.Code)
		}
	}
	for _, good := range []string{file, filepath.Join(dir, "x"), filepath.Join(dir, "to", "be", "made", "x")} {
		if err := Check(good); err != nil || names(t, dir) != "file" {
			t.Errorf("%s: have %v and %q, want no error and no trace", good, err, names(t, dir))
		}
	}
}
