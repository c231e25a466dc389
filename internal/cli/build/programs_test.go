package build

import (
	"strings"
	"testing"
)

// TestOwnPrograms: the test's own program stands alone in its folder.
func TestOwnPrograms(t *testing.T) {
	_, err := ownPrograms()
	if !programMissing.Is(err) || !strings.Contains(err.Error(), "/caisson-node: it must lie beside ") {
		t.Errorf("have %v, want PROGRAM-MISSING", err)
	}
}
