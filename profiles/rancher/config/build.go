package config

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v2"
)

// Extra is what a Spec adds to the config.yaml of its nodes: kubernetes.extra.
type Extra struct {
	Server    map[string]any `yaml:"server,omitempty" json:"server,omitempty"`       // keys for servers
	Agent     map[string]any `yaml:"agent,omitempty" json:"agent,omitempty"`         // keys for agents
	Unchecked []string       `yaml:"unchecked,omitempty" json:"unchecked,omitempty"` // keys of the two that Caisson's table need not know
}

// of are the keys for a role.
func (e Extra) of(r Role) map[string]any {
	if r == Agent {
		return e.Agent
	}
	return e.Server
}

// Builder gathers the config.yaml of one node.
type Builder struct {
	target Target
	set    Values
	extra  Extra
}

// New begins the config.yaml of a node.
func New(t Target) *Builder { return &Builder{target: t, set: Values{}} }

// Bool sets a switch.
func (b *Builder) Bool(key string, v bool) *Builder { return b.put(key, v) }

// String sets a text; an empty one leaves the key out.
func (b *Builder) String(key, v string) *Builder {
	if v == "" {
		return b
	}
	return b.put(key, v)
}

// Int sets a number.
func (b *Builder) Int(key string, v int) *Builder { return b.put(key, v) }

// Duration sets a length of time.
func (b *Builder) Duration(key string, v time.Duration) *Builder { return b.put(key, v) }

// List sets a list; an empty one leaves the key out. Called again it adds items.
func (b *Builder) List(key string, items ...string) *Builder {
	if len(items) == 0 {
		return b
	}
	old, _ := b.set[key].([]string)
	return b.put(key, slices.Concat(old, items))
}

func (b *Builder) put(key string, v any) *Builder {
	b.set[key] = v
	return b
}

// Extra adds what the Spec asks for.
func (b *Builder) Extra(e Extra) *Builder {
	b.extra = e
	return b
}

// Values are the profile's keys and the Spec's, or all that is wrong with them.
func (b *Builder) Values() (Values, error) {
	extra := b.extra.of(b.target.Role)
	faults := []error{Check(b.target, b.set), Check(b.target, extra, b.extra.Unchecked...)}
	for _, name := range b.extra.Unchecked {
		_, server := b.extra.Server[name]
		_, agent := b.extra.Agent[name]
		if !server && !agent {
			faults = append(faults, KeyUnchecked.New("cannot leave %q unchecked: have no such key under server or agent, need one", name).Hint("take it out of the list"))
		} else if k, known := byName()[name]; known && k.Never != "" {
			faults = append(faults, KeyNever.New("cannot leave %q unchecked: have it in config.yaml of an enclave's node, need it left out", name).Hint("%s", k.Never))
		}
	}
	merged := maps.Clone(b.set)
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		v, err := b.merge(name, extra[name])
		if err != nil {
			faults = append(faults, err)
			continue
		}
		merged[name] = v
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return merged, nil
}

// merge puts the Spec's value beside the profile's.
func (b *Builder) merge(name string, value any) (any, error) {
	ours, set := b.set[name]
	if !set {
		return value, nil
	}
	mine, err := plain(ours)
	if err != nil {
		return nil, nil // Check has said so
	}
	theirs, err := plain(value)
	if err != nil {
		return nil, nil
	}
	k := byName()[name]
	if !k.Adds {
		if slices.Equal(mine, theirs) {
			return ours, nil
		}
		return nil, b.conflict(name, mine, theirs)
	}
	out := slices.Clone(mine)
	for _, item := range theirs {
		if slices.Contains(out, item) {
			continue
		}
		if old := sameName(k, mine, item); old != "" {
			return nil, b.conflict(name, []string{old}, []string{item})
		}
		out = append(out, item)
	}
	return out, nil
}

func (b *Builder) conflict(name string, mine, theirs []string) error {
	k := byName()[name]
	return KeyConflict.New("cannot use %s of kubernetes.extra for %s: have %s, need %s, which the profile sets", name, b.target, k.show(theirs...), k.show(mine...)).
		Hint("leave it out; where the profile's value cannot stay, the profile is the wrong one")
}

// sameName finds the profile's item that speaks of the same thing.
func sameName(k Key, mine []string, item string) string {
	for _, m := range mine {
		if n := itemName(k, m); n != "" && n == itemName(k, item) {
			return m
		}
	}
	return ""
}

// itemName is what an item of the form name=value speaks of. "name+=value" and
// "name-=value" add to the program's own default (k3s pkg/util/args.go), which
// changes the same argument. A node may have two taints of one name, of
// different effect.
func itemName(k Key, item string) string {
	name, value, named := strings.Cut(strings.TrimPrefix(item, "--"), "=")
	switch {
	case k.Name == "node-taint":
		if !named {
			return item
		}
		_, effect, _ := strings.Cut(value, ":")
		return name + ":" + effect
	case !named:
		return ""
	case k.Args:
		return strings.TrimRight(name, "+-")
	}
	return name
}

// File is the finished config.yaml.
func (b *Builder) File() ([]byte, error) {
	values, err := b.Values()
	if err != nil {
		return nil, err
	}
	return Render(values)
}

// Render writes the values, keys in the order of their names. What is text is
// quoted where YAML 1.1, which the product reads, would take it for something
// else. The file is read back before it is handed out.
func Render(values Values) ([]byte, error) {
	var doc yaml.MapSlice
	var want []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		items, err := plain(values[name])
		if err != nil {
			return nil, KeyValue.New("cannot write %s: have %w, need plain values", name, err)
		}
		var v any = items
		if _, isList := listOf(values[name]); !isList {
			v = values[name]
			if d, ok := v.(time.Duration); ok {
				v = d.String()
			}
		}
		doc = append(doc, yaml.MapItem{Key: name, Value: v})
		for _, item := range items {
			want = append(want, flag(name, item))
		}
	}
	data, err := yaml.Marshal(doc)
	if err != nil {
		return nil, ReadsBackWrong.New("cannot write config.yaml: %w", err)
	}
	back, err := Parse(data)
	if err != nil || !slices.Equal(back.Args, want) {
		return nil, ReadsBackWrong.New("cannot write config.yaml: have a file that is read as %q, need %q (%v)", back.Args, want, err)
	}
	return data, nil
}
