package spec

import (
	"slices"
	"strings"
)

// Identity is what a booted machine says of itself.
type Identity struct {
	MACs   []string // of every network card, any common notation
	Serial string   // SMBIOS product serial
	UUID   string   // SMBIOS product UUID
}

// FindNode is the roster entry whose every set Match field is true of the
// machine; ok is false if none is, and an entry with no Match is nobody's. More
// than one is an error (ANSWERS-AMBIGUOUS): a machine never guesses who it is.
func FindNode(e Enclave, id Identity) (n Node, ok bool, err error) {
	var found []string
	for _, entry := range e.Nodes {
		if matches(entry.Match, id) {
			n, found = entry, append(found, entry.Name)
		}
	}
	if len(found) > 1 {
		return Node{}, false, AnswersAmbiguous.New("cannot choose a roster entry for this machine: have %d that match (%s), need one",
			len(found), strings.Join(found, ", ")).
			Hint("give each entry a match that is true of one machine only").
			Hint("or name the entry in an answer file: node: %s", found[0])
	}
	return n, len(found) == 1, nil
}

func matches(m Match, id Identity) bool {
	if m == (Match{}) {
		return false
	}
	if m.MAC != "" {
		want := canonicalMAC(m.MAC)
		if want == "" || !slices.ContainsFunc(id.MACs, func(have string) bool { return canonicalMAC(have) == want }) {
			return false
		}
	}
	if m.Serial != "" && m.Serial != strings.TrimSpace(id.Serial) {
		return false
	}
	return m.UUID == "" || strings.EqualFold(m.UUID, strings.TrimSpace(id.UUID))
}
