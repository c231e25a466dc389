package spec

import "strings"

// SealedSuffix ends the name of every file of sealed secrets, so that no file
// that is open is named by mistake; NotesSuffix is added to it for the file
// beside it that says in clear what is sealed.
const (
	SealedSuffix = ".age"
	NotesSuffix  = ".json"
)

func (p *problems) secrets(s Secrets) {
	if s.Sealed != "" && (!strings.HasSuffix(s.Sealed, SealedSuffix) || s.Sealed == SealedSuffix) {
		p.bad("secrets.sealed", quoted(s.Sealed), "the name of a file that ends in "+SealedSuffix, "caisson secrets makes it, sealed with a passphrase")
	}
}
