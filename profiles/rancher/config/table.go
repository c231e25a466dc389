package config

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Kind is the type of a key's value.
type Kind string

const (
	Bool     Kind = "bool"
	String   Kind = "string"
	Int      Kind = "int"
	Duration Kind = "duration"
	List     Kind = "list" // of strings: each item is the flag once more
)

// Key is one line of the table.
type Key struct {
	Name   string
	Kind   Kind
	Source string // the vendor's source file
	Never  string // why no node of an enclave may have it
	Since  []string
	Values []Value
	Same   bool // the same on all servers
	First  bool // of the first server only
	Join   bool // of all but the first server
	Adds   bool // a Spec may add items
	Args   bool // items are name=value
	Whole  bool // a comma does not part items
	Secret bool // the value is in no error

	roles map[Product]string
}

// Value is one that a key may have.
type Value struct {
	Name  string
	Since []string
}

// keysText is the table; its head says how to read it.
//
//go:embed keys.txt
var keysText string

// Keys is the table, in its own order.
var Keys = sync.OnceValue(func() []Key {
	keys, err := parseKeys(keysText)
	if err != nil {
		panic(err) // the table is part of the program
	}
	return keys
})

var byName = sync.OnceValue(func() map[string]Key {
	m := map[string]Key{}
	for _, k := range Keys() {
		m[k.Name] = k
	}
	return m
})

// names are the keys that the product takes in the role, for suggestions.
func names(t Target) []string {
	var out []string
	for _, k := range Keys() {
		if k.use(t) == works {
			out = append(out, k.Name)
		}
	}
	return out
}

// use is what a node does with a key.
type use int

const (
	skipped use = iota // passed over with a warning
	idle               // read, and nothing comes of it
	works
)

func (k Key) use(t Target) use {
	switch roles, letter := k.roles[t.Product], t.Role.letter(); {
	case strings.Contains(roles, letter):
		return works
	case strings.Contains(roles, strings.ToLower(letter)):
		return idle
	}
	return skipped
}

func parseKeys(text string) ([]Key, error) {
	var keys []Key
	source := ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			continue
		case strings.HasPrefix(line, "["):
			source = strings.Trim(line, "[]")
			continue
		}
		k, err := parseKey(line)
		if err != nil || source == "" {
			return nil, fmt.Errorf("line %d of the table, source %q: %w", i+1, source, err)
		}
		k.Source = source
		keys = append(keys, k)
	}
	return keys, nil
}

func parseKey(line string) (Key, error) {
	line, never, _ := strings.Cut(line, "never: ")
	f := strings.Fields(line)
	if len(f) < 4 {
		return Key{}, fmt.Errorf("have %d columns, need 4", len(f))
	}
	k := Key{Name: f[0], Kind: Kind(f[1]), Never: never, roles: map[Product]string{RKE2: f[2], K3s: f[3]}}
	if !slices.Contains([]Kind{Bool, String, Int, Duration, List}, k.Kind) {
		return Key{}, fmt.Errorf("have kind %q", k.Kind)
	}
	flags := map[string]*bool{"same": &k.Same, "first": &k.First, "join": &k.Join, "adds": &k.Adds, "args": &k.Args, "whole": &k.Whole, "secret": &k.Secret}
	for _, word := range f[4:] {
		name, value, _ := strings.Cut(word, "=")
		switch {
		case name == "since":
			k.Since = strings.Split(value, ",")
		case name == "values":
			for _, v := range strings.Split(value, ",") {
				v, since, dated := strings.Cut(v, "@")
				val := Value{Name: v}
				if dated {
					val.Since = strings.Split(since, "+")
				}
				k.Values = append(k.Values, val)
			}
		case flags[word] != nil:
			*flags[word] = true
		default:
			return Key{}, fmt.Errorf("have the word %q", word)
		}
	}
	return k, nil
}
