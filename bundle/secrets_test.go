package bundle_test

import (
	"os"
	"path/filepath"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/fault"
)

// TestManifestNamesTheSealedFile: what it says of sealed secrets is of a file that
// it has, and of the form that such a thing has.
func TestManifestNamesTheSealedFile(t *testing.T) {
	dir := t.TempDir()
	if err := installtest.SealedMedium(dir, installtest.OSImage(64<<10)); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, bundle.ManifestPath))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*bundle.SealedSecrets)
		code   string
	}{
		"as it is":            {func(*bundle.SealedSecrets) {}, ""},
		"another size":        {func(s *bundle.SealedSecrets) { s.Size++ }, "MANIFEST-INCOMPLETE"},
		"a file not on board": {func(s *bundle.SealedSecrets) { s.Digest = s.Content }, "MANIFEST-INCOMPLETE"},
		"no CA":               {func(s *bundle.SealedSecrets) { s.CAs = nil }, "SECRETS-NOTES"},
		"a file twice":        {func(s *bundle.SealedSecrets) { s.Files[1] = s.Files[0] }, "SECRETS-NOTES"},
		"a mode for all":      {func(s *bundle.SealedSecrets) { s.Files[0].Mode = 0o666 }, "SECRETS-NOTES"},
	} {
		m, err := bundle.ReadManifest(raw)
		if err != nil {
			t.Fatal(err)
		}
		c.change(m.Secrets)
		changed, err := canon.JSON(m)
		if err != nil {
			t.Fatal(err)
		}
		_, err = bundle.ReadManifest(changed)
		if all := fault.All(err); c.code == "" && err != nil || c.code != "" && (len(all) == 0 || all[0].Code != c.code) {
			t.Errorf("%s: have %v, want %q", name, err, c.code)
		}
	}
}
