package secrets

import (
	"fmt"
	"strings"
)

// The length of a passphrase, in characters.
const (
	leastPhrase = 12
	mostPhrase  = 200
)

// CheckPassphrase refuses what should not seal a cluster: what can be guessed, and
// what cannot be typed on the screen of a machine, whose keyboard is US.
func CheckPassphrase(p string) error {
	need := fmt.Sprintf("%d to %d characters", leastPhrase, mostPhrase)
	switch n := len([]rune(p)); {
	case n < leastPhrase || n > mostPhrase:
		return WeakPassphrase.New("cannot use the passphrase: have %d characters, need %s", n, need).Hint("six words that have nothing to do with one another are strong and can be typed")
	case strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r > '~' }):
		return WeakPassphrase.New("cannot use the passphrase: have a character beyond ASCII, need those of a US keyboard").
			Hint("it has to be typed on the screen of a machine in the field")
	case p != strings.TrimSpace(p):
		return WeakPassphrase.New("cannot use the passphrase: have a space at an end, need none there")
	}
	return nil
}

// FromFile is the passphrase that a file holds: its first line.
func FromFile(raw []byte) string {
	line, _, _ := strings.Cut(string(raw), "\n")
	return strings.TrimSuffix(line, "\r")
}
