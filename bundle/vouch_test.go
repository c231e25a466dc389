package bundle_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/bundle"
)

// TestVouch: trust ends with every touch of the file, and with time.
func TestVouch(t *testing.T) {
	dir := t.TempDir()
	s, err := bundle.OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	d, _, err := s.Put(t.Context(), strings.NewReader("payload"), "")
	if err != nil {
		t.Fatal(err)
	}
	vouch := func() {
		t.Helper()
		seen, err := s.See(d)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Vouch(d, seen); err != nil {
			t.Fatal(err)
		}
		if !s.Trusted(d) {
			t.Fatal("a blob that was just vouched for is not trusted")
		}
	}
	if s.Trusted(d) {
		t.Error("a blob that nobody vouched for is trusted")
	}
	path, note := s.Path(d), filepath.Join(dir, "checked", d.Hex())
	age := func() { // the note says that it was long ago
		raw, err := os.ReadFile(note)
		if err != nil {
			t.Fatal(err)
		}
		text := string(raw)
		i := strings.Index(text, `"Checked":`)
		if err := os.WriteFile(note, []byte(text[:i]+`"Checked":1000000000}`), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name   string
		change func() error
	}{
		{"other bytes of the same length, and the old times", func() error {
			st, err := os.Stat(path)
			if err != nil {
				return err
			}
			if err := os.Chmod(path, 0o644); err != nil {
				return err
			}
			if err := os.WriteFile(path, []byte("pAyload"), 0o644); err != nil {
				return err
			}
			return os.Chtimes(path, st.ModTime(), st.ModTime())
		}},
		{"another file under the name", func() error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.WriteFile(path, []byte("payload"), 0o444)
		}},
		{"the note torn", func() error { return os.WriteFile(note, []byte(`{"Dev":1`), 0o644) }},
		{"a day later", func() error { age(); return nil }},
	} {
		vouch()
		time.Sleep(10 * time.Millisecond) // a file system's clock has steps
		if err := tt.change(); err != nil {
			t.Fatal(err)
		}
		if s.Trusted(d) {
			t.Errorf("%s: still trusted", tt.name)
		}
	}
	before, err := s.See(d)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Millisecond)
	if err := os.Chtimes(path, time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := s.Vouch(d, before); err != nil || s.Trusted(d) {
		t.Errorf("a file touched between the look and the vouching: have %v, trusted %v", err, s.Trusted(d))
	}
}
