// Package judge finds somebody else's tools, which are the judges of what we
// write and read. Where one is not installed its test is skipped, so that a
// laptop can do without; with CI=true it fails, so that a judge is never missed
// unseen. It is for tests only.
package judge

import (
	"os"
	"os/exec"
	"testing"
)

// Need is the path of the program, which is in the Debian package.
func Need(t testing.TB, program, debian string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatalf("cannot judge: have no %s, need it under CI=true (Debian package %s)", program, debian)
	case err != nil:
		t.Skipf("%s (Debian package %s) is not installed", program, debian)
	}
	return path
}
