package build

import (
	"os"
	"strings"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/spec"
)

// TestInspectNamesTheSecrets: that they travel, and whose CAs they are.
func TestInspectNamesTheSecrets(t *testing.T) {
	dir := t.TempDir()
	if err := installtest.SealedMedium(dir, installtest.OSImage(64<<10)); err != nil {
		t.Fatal(err)
	}
	m, d, err := bundle.Peek(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	text := describe(m, d, spec.Enclave{})
	for _, want := range []string{"secrets      sealed with a passphrase, 1.9 KiB, " + string(m.Secrets.Digest) + "\n",
		"CA kubernetes      " + string(m.Secrets.CAs[0].Fingerprint) + ", valid 2026-11-01 to 2126-11-01\n", "CA etcd-ca "} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if m.Secrets = nil; strings.Contains(describe(m, d, spec.Enclave{}), "secrets") {
		t.Error("says that there are secrets where there are none")
	}
}
