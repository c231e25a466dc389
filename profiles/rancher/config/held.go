package config

import (
	"errors"
	"slices"
)

// Sets tells whether the profile or the Spec gives the key a value.
func (b *Builder) Sets(key string) bool {
	_, extra := b.extra.of(b.target.Role)[key]
	_, own := b.set[key]
	return own || extra
}

// Held reports each of the named keys that the builder sets and that a node's files
// do not say any more: a drop-in counts after the main file. Items may have been
// added to lists that allow it.
func (b *Builder) Held(have Values, names ...string) error {
	want, err := b.Values()
	if err != nil {
		return err
	}
	var faults []error
	for _, name := range names {
		if _, set := want[name]; !set {
			continue
		}
		mine, _ := plain(want[name]) // what was rendered is plain
		found, err := plain(have[name])
		if err == nil && holds(byName()[name], mine, found) {
			continue
		}
		k := byName()[name]
		shown := "nothing that can be read"
		switch {
		case err == nil && len(found) == 0:
			shown = "no such key"
		case err == nil:
			shown = k.show(found...)
		}
		faults = append(faults, KeyConflict.New("cannot use the config files of %s: have %s for %s, need %s, which the profile sets", b.target, shown, name, k.show(mine...)).
			Hint("mend %s or the file below %s.d that says it", b.target.Product.Path(), b.target.Product.Path()))
	}
	return errors.Join(faults...)
}

// holds tells whether the profile's items are there as they are.
func holds(k Key, mine, found []string) bool {
	if !k.Adds {
		return slices.Equal(mine, found)
	}
	for _, item := range mine {
		if !slices.Contains(found, item) {
			return false
		}
	}
	// The last item of a name counts (k3s pkg/util/args.go).
	return !slices.ContainsFunc(found, func(item string) bool {
		return !slices.Contains(mine, item) && sameName(k, mine, item) != ""
	})
}
