package spec

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
)

// decoder fills Go values from YAML nodes and notes every difference between
// them, instead of stopping at the first. The yaml tags of the types are the
// only list of fields.
type decoder struct {
	*problems
	where map[string]position // path -> place, of all that is in the file
}

// value decodes node into v, which is settable.
func (d *decoder) value(node ast.Node, v reflect.Value, path string) {
	if v.Kind() == reflect.Pointer {
		fresh := reflect.New(v.Type().Elem())
		d.value(node, fresh.Elem(), path)
		v.Set(fresh)
		return
	}
	if _, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(node, v, path)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.mapping(node, v, path)
	case reflect.Slice:
		d.sequence(node, v, path)
	case reflect.Map:
		d.freeMap(node, v, path)
	case reflect.Bool:
		b, ok := node.(*ast.BoolNode)
		if !ok {
			d.mismatch(node, path, "true or false", "")
			return
		}
		v.SetBool(b.Value)
	case reflect.Int:
		d.count(node, v, path)
	case reflect.String:
		s, ok := stringOf(node)
		if !ok {
			hint := ""
			if _, scalar := node.(ast.ScalarNode); scalar {
				hint = "put it in quotes"
			}
			d.mismatch(node, path, "text", hint)
			return
		}
		if i := strings.IndexFunc(s, unicode.IsControl); i >= 0 {
			d.bad(path, fmt.Sprintf("text with the control character %U", []rune(s[i:])[0]), "text of one line", "write it on one line, without tabs")
			return
		}
		v.SetString(s)
	default:
		panic("spec: no YAML form for " + v.Type().String()) // a field type that nobody taught the decoder; every field is covered by a test
	}
}

// text decodes a type that reads itself, such as a size.
func (d *decoder) text(node ast.Node, v reflect.Value, path string) {
	s, ok := stringOf(node)
	if n, isInt := node.(*ast.IntegerNode); isInt {
		s, ok = n.Token.Value, true
	}
	if !ok {
		d.mismatch(node, path, "a size such as 64 GiB", "")
		return
	}
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); err != nil {
		d.bad(path, quoted(s), "a number and B, KiB, MiB, GiB or TiB, as in 64 GiB", "")
	}
}

// count decodes a number from 1. Other ways to write one are refused, because
// readers of YAML differ over them: 0755 is octal to some.
func (d *decoder) count(node ast.Node, v reflect.Value, path string) {
	i, ok := node.(*ast.IntegerNode)
	if !ok {
		d.mismatch(node, path, "a number", "")
		return
	}
	n, err := strconv.Atoi(i.Token.Value)
	if err != nil || n < 1 || strconv.Itoa(n) != i.Token.Value {
		d.bad(path, quoted(i.Token.Value), "a number from 1, in plain digits", "")
		return
	}
	v.SetInt(int64(n))
}

func (d *decoder) mapping(node ast.Node, v reflect.Value, path string) {
	m, ok := node.(ast.MapNode)
	if !ok {
		d.mismatch(node, path, "a map of fields", "")
		return
	}
	fields := fieldsOf(v.Type())
	seen := map[string]position{}
	for it := m.MapRange(); it.Next(); {
		key := it.KeyValue().Key
		name, at := keyOf(key), positionOf(key)
		here := child(path, name)
		if first, dup := seen[name]; dup {
			d.put(problem{kind: d.duplicate, path: here, at: at,
				have: fmt.Sprintf("it a second time (first on line %d)", first.line), need: "it once", hint: "keep the one that you mean"})
			continue
		}
		seen[name] = at
		d.where[here] = at
		f, known := fields.byName[name]
		if !known {
			hint := ""
			if near := Nearest(name, fields.names); near != "" {
				hint = "did you mean " + near + "?"
			}
			d.add(d.unknown, here, "an unknown field "+quoted(name), "one of "+strings.Join(fields.names, ", "), hint)
			continue
		}
		d.value(it.Value(), v.Field(f.index), here)
	}
	for _, name := range fields.names {
		if _, given := seen[name]; !given && fields.byName[name].required {
			d.add(d.missing, child(path, name), "nothing", "this field", "")
		}
	}
}

func (d *decoder) sequence(node ast.Node, v reflect.Value, path string) {
	s, ok := node.(*ast.SequenceNode)
	if !ok {
		d.mismatch(node, path, "a list", "write each entry on its own line, beginning with a dash")
		return
	}
	out := reflect.MakeSlice(v.Type(), len(s.Values), len(s.Values))
	for i, entry := range s.Values {
		here := item(path, i)
		if entry == nil {
			d.add(d.typ, here, "nothing", "an entry", "remove the dash")
			continue
		}
		d.where[here] = positionOf(entry)
		d.value(entry, out.Index(i), here)
	}
	v.Set(out)
}

// mismatch never shows the value: it may be a secret in the wrong place.
func (d *decoder) mismatch(node ast.Node, path, need, hint string) {
	have := "another kind of value"
	switch node.(type) {
	case nil, *ast.NullNode:
		have, hint = "nothing", "write a value, or remove the line"
	case *ast.StringNode, *ast.LiteralNode:
		have = "text"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		have = "a number"
	case *ast.BoolNode:
		have = "true or false"
	case *ast.SequenceNode:
		have = "a list"
	case ast.MapNode:
		have = "a map of fields"
	}
	d.add(d.typ, path, have, need, hint)
}

func stringOf(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return strings.TrimSuffix(n.Value.Value, "\n"), true // a block scalar's own newline
	}
	return "", false
}

func keyOf(key ast.MapKeyNode) string {
	if s, ok := stringOf(key); ok {
		return s
	}
	if t := key.GetToken(); t != nil {
		return t.Value
	}
	return ""
}

func positionOf(node ast.Node) position {
	if m, ok := node.(ast.MapNode); ok {
		if it := m.MapRange(); it.Next() {
			return positionOf(it.KeyValue().Key) // a map's own token is its first colon
		}
	}
	if t := node.GetToken(); t != nil && t.Position != nil {
		return position{t.Position.Line, t.Position.Column}
	}
	return position{}
}

type field struct {
	index    int
	required bool
}

type fieldSet struct {
	names  []string // as declared
	byName map[string]field
}

// fieldsOf reads the yaml tags of a struct type; a field without omitempty
// must be given.
func fieldsOf(t reflect.Type) fieldSet {
	set := fieldSet{byName: map[string]field{}}
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		set.names = append(set.names, name)
		set.byName[name] = field{index: i, required: options != "omitempty"}
	}
	return set
}
