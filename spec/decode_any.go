package spec

import (
	"fmt"
	"reflect"
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// freeMap decodes a map whose keys are not Caisson's: each value is plain, or a
// list of plain ones. Values mean what they mean to every reader of YAML, or are
// refused.
func (d *decoder) freeMap(node ast.Node, v reflect.Value, path string) {
	m, ok := node.(ast.MapNode)
	if !ok {
		d.mismatch(node, path, "a map of keys", "")
		return
	}
	out := map[string]any{}
	for it := m.MapRange(); it.Next(); {
		key := it.KeyValue().Key
		name, here := keyOf(key), child(path, keyOf(key))
		at := positionOf(key)
		if _, dup := out[name]; dup {
			d.put(problem{kind: d.duplicate, path: here, at: at, have: "it a second time", need: "it once", hint: "keep the one that you mean"})
			continue
		}
		d.where[here] = at
		out[name] = d.plain(it.Value(), here, true)
	}
	v.Set(reflect.ValueOf(out))
}

// plain is true or false, a whole number, text, or a list of these.
func (d *decoder) plain(node ast.Node, path string, list bool) any {
	switch n := node.(type) {
	case *ast.BoolNode:
		return n.Value
	case *ast.IntegerNode:
		i, err := strconv.ParseInt(n.Token.Value, 10, 64)
		if err != nil || strconv.FormatInt(i, 10) != n.Token.Value {
			d.bad(path, quoted(n.Token.Value), "a number in plain digits", "put it in quotes if it is text: 0600 as a number is 384 to some")
		}
		return i
	case *ast.SequenceNode:
		out := []any{}
		for i, entry := range n.Values {
			here := fmt.Sprintf("%s[%d]", path, i)
			if !list || entry == nil {
				d.mismatch(entry, here, "a plain value", "")
				continue
			}
			d.where[here] = positionOf(entry)
			out = append(out, d.plain(entry, here, false))
		}
		return out
	}
	s, ok := stringOf(node)
	if !ok {
		d.mismatch(node, path, "true or false, a whole number, text, or a list of these", "")
	}
	return s
}
