package node

import (
	"os"
	"path/filepath"
	"testing"
)

// TestJournalLetsUsersThrough: Ignition becomes a user to write the user's keys
// below the folder of the journal, which it alone may read.
func TestJournalLetsUsersThrough(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "caisson")
	f, err := openJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o011 != 0o011 {
		t.Errorf("have folder %v, %v; want one that others may pass", info.Mode(), err)
	}
	if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("have journal %v, %v; want it closed to others", info.Mode(), err)
	}
}
