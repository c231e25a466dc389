package debian_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/sources/debian"
)

// TestNoApt resolves on a machine that is not Debian's.
func TestNoApt(t *testing.T) {
	keyring := filepath.Join(t.TempDir(), "keys.gpg")
	if err := os.WriteFile(keyring, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	store, err := bundle.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir())
	w := want(archive{url: "http://127.0.0.1:1"}, func(*bundle.DebianWant) {})
	_, err = (&debian.Source{Store: store, Keyring: keyring}).Resolve(t.Context(), w)
	if !debian.AptMissing.Is(err) || !strings.Contains(err.Error(), "pull and build need no apt") {
		t.Errorf("have %v, want APT-MISSING", err)
	}
}
