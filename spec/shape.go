package spec

import (
	"fmt"

	"github.com/goccy/go-yaml/token"
)

// The bounds on a document's shape. The parser recurses once for each level,
// and its time grows with the square of the entries in one map or flow list, so
// that both are counted before it starts. The Spec's own depth is 5 levels, its
// largest map has 13 fields, and a roster of a thousand nodes about 40,000 tokens.
const (
	maxTokens  = 100_000
	maxNesting = 32   // levels of flow lists and maps
	maxOnLine  = 128  // structural marks ("- - - -") on one line
	maxFields  = 64   // fields in one block map
	maxInFlow  = 5000 // tokens in one outermost flow list or map
)

// shape counts while the tokens of a document go by.
type shape struct {
	tokens, flow, inFlow, line, onLine int
	// maps are the block maps that are open, outermost first.
	maps []openMap
}

type openMap struct{ column, fields int }

// next takes one token; key is the token before it if t is a map's colon. What
// is too much is in have, with the bound in need; both are "" if all is well.
func (s *shape) next(t, key *token.Token) (have, need string) {
	s.tokens++
	if t.Position.Line != s.line {
		s.line, s.onLine = t.Position.Line, 0
	}
	switch t.Type {
	case token.SequenceStartType, token.MappingStartType:
		s.flow++
		s.onLine++
	case token.SequenceEndType, token.MappingEndType:
		s.flow--
	case token.SequenceEntryType:
		s.onLine++
		s.close(t.Position.Column)
	case token.MappingKeyType, token.DirectiveType:
		s.onLine++
	}
	if s.flow > 0 {
		s.inFlow++
	} else {
		s.inFlow = 0
		if key != nil {
			s.field(key.Position.Column)
		}
	}
	switch {
	case s.tokens > maxTokens:
		return "more than " + fmt.Sprint(maxTokens) + " YAML tokens", "a smaller file"
	case s.flow > maxNesting || s.onLine > maxOnLine:
		return "lists or maps nested too deep", fmt.Sprintf("at most %d levels", maxNesting)
	case s.inFlow > maxInFlow:
		return "a list or map in brackets that is too long", "one entry on each line"
	case len(s.maps) > 0 && s.maps[len(s.maps)-1].fields > maxFields:
		return fmt.Sprintf("more than %d fields in one map", maxFields), "the fields that docs/spec.md lists"
	}
	return "", ""
}

// close ends the block maps that begin to the right of column.
func (s *shape) close(column int) {
	for len(s.maps) > 0 && s.maps[len(s.maps)-1].column > column {
		s.maps = s.maps[:len(s.maps)-1]
	}
}

// field counts one more field of the block map at column.
func (s *shape) field(column int) {
	s.close(column)
	if len(s.maps) == 0 || s.maps[len(s.maps)-1].column < column {
		s.maps = append(s.maps, openMap{column: column})
	}
	s.maps[len(s.maps)-1].fields++
}
