package tui

import "strings"

// KeyKind is what a key is for. Arrows, Enter and Esc are enough for every
// screen; the rest is for those who have them.
type KeyKind int

// The kinds of key.
const (
	KeyRune KeyKind = iota
	KeyUp
	KeyDown
	KeyLeft
	KeyRight
	KeyEnter
	KeyEsc
	KeyTab
	KeyBacktab
	KeyBackspace
	KeyDelete
	KeyHome
	KeyEnd
	KeyPageUp
	KeyPageDown
	KeyHelp
	KeyInterrupt
)

// Key is one key press; Rune counts for KeyRune alone.
type Key struct {
	Kind KeyKind
	Rune rune
}

var keyNames = []string{"rune", "up", "down", "left", "right", "enter", "esc", "tab", "backtab", "backspace", "delete",
	"home", "end", "pgup", "pgdn", "help", "interrupt"}

// String is the key's name; a rune is itself.
func (k Key) String() string {
	switch {
	case k.Kind == KeyRune:
		return string(k.Rune)
	case k.Kind > KeyRune && int(k.Kind) < len(keyNames):
		return keyNames[k.Kind]
	}
	return "?"
}

// keyNamed finds the key of a name.
func keyNamed(name string) (Key, bool) {
	for i, n := range keyNames {
		if i > 0 && strings.EqualFold(n, name) {
			return Key{Kind: KeyKind(i)}, true
		}
	}
	return Key{}, false
}
