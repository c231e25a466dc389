package spec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSealedSecretsNeedBothFiles: the sealed one, and what is said of it in clear.
func TestSealedSecretsNeedBothFiles(t *testing.T) {
	l := Loaded{Dir: t.TempDir(), Enclave: Enclave{Secrets: Secrets{Sealed: "s.age"}}}
	for _, missing := range []string{"s.age", "s.age.json"} {
		if err := CheckFiles(l); !NoFile.Is(err) || !strings.Contains(err.Error(), filepath.Join(l.Dir, missing)+":") || !strings.Contains(err.Error(), "caisson secrets") {
			t.Errorf("without %s: have %v", missing, err)
		}
		if err := os.WriteFile(filepath.Join(l.Dir, missing), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := CheckFiles(l); err != nil {
		t.Errorf("with both: %v", err)
	}
}
