package spec

import (
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// MaxSize is the most that a Spec or an answer file may hold, in bytes. A
// roster of a thousand nodes stays below a third of it.
const MaxSize = 1 << 20

// document parses raw as exactly one YAML 1.2 document and gives its top node.
// It refuses anchors, aliases, merge keys and tags: one place, one meaning, and
// no document that grows when it is read. nil means that raw was refused and
// the reason is in p.
func (p *problems) document(raw []byte, where map[string]position) ast.Node {
	if len(raw) > MaxSize {
		p.add(p.tooLarge, "", fmt.Sprintf("more than %d bytes", MaxSize), "a file of at most 1 MiB",
			"carry manifests and archives as files of their own, named in the Spec")
		return nil
	}
	if !utf8.Valid(raw) {
		p.add(p.unreadable, "", "bytes that are not UTF-8", "UTF-8 text", "save the file as UTF-8, without a second encoding in it")
		return nil
	}
	tokens := lexer.Tokenize(string(raw))
	if !p.tokensAllowed(tokens, where) {
		return nil
	}
	file, err := parse(tokens)
	if err != nil {
		at, text := syntaxError(err)
		where[""] = at
		p.add(p.unreadable, "", "text that is not YAML ("+text+")", "YAML 1.2", "look for a wrong indent, a tab, or a missing colon or quote at or above this line")
		return nil
	}
	var top []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil {
			top = append(top, d.Body)
		}
	}
	if len(top) != 1 {
		p.add(p.unreadable, "", fmt.Sprintf("%d documents", len(top)), "exactly one", "keep one document in each file")
		return nil
	}
	return top[0]
}

// parse turns a panic of the YAML library into an error: whatever a stick
// holds, the answer is a refusal with a code and never a stack trace.
func parse(tokens token.Tokens) (file *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("structure that the YAML parser gives up on: %v", r)
		}
	}()
	// Duplicate keys are let through here and refused by decode, with their path.
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

// tokensAllowed looks at the flat list of tokens, before anything recurses.
func (p *problems) tokensAllowed(tokens token.Tokens, where map[string]position) bool {
	var size shape
	for i, t := range tokens {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType:
			where[""] = position{t.Position.Line, t.Position.Column}
			p.add(p.alias, "", "the YAML anchor, alias, merge key or tag "+quoted(t.Value), "plain values", "write the value out where it is used")
			return false
		case token.InvalidType:
			where[""] = position{t.Position.Line, t.Position.Column}
			p.add(p.unreadable, "", "text that is not YAML ("+t.Error+")", "YAML 1.2", "")
			return false
		}
		var key *token.Token
		if i > 0 && t.Type == token.MappingValueType {
			key = tokens[i-1]
		}
		if have, need := size.next(t, key); have != "" {
			where[""] = position{t.Position.Line, t.Position.Column}
			p.add(p.tooLarge, "", have, need, "")
			return false
		}
	}
	return true
}

// syntaxError takes the place and the short text out of the library's error.
func syntaxError(err error) (position, string) {
	type located interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if e, ok := err.(located); ok {
		at := position{}
		if t := e.GetToken(); t != nil && t.Position != nil {
			at = position{t.Position.Line, t.Position.Column}
		}
		return at, e.GetMessage()
	}
	return position{}, err.Error()
}
