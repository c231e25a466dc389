package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/semver"

	"caisson.dev/caisson/spec"
)

// Values is the content of a config.yaml: bool, integer, string, time.Duration,
// or a list of strings, by key.
type Values map[string]any

// Check reports, all at once, each key that the target would pass over (k3s
// pkg/configfilearg/parser.go, stripInvalidFlags), read as another value, or
// read to no effect. Keys in unchecked are left to the author: only that they
// can be written at all is looked at.
func Check(t Target, values Values, unchecked ...string) error {
	if !semver.IsValid(t.Version) {
		return KeyVersion.New("cannot check config.yaml: have version %q, need one such as v1.36.3+%sr1", t.Version, t.Product)
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if slices.Contains(unchecked, name) {
			if _, err := plain(values[name]); err != nil || !keyForm(name) {
				faults = append(faults, t.value(name, fmt.Sprintf("%T", values[name]), "a plain value or a list of them, under a key of letters, digits and hyphens"))
			}
			continue
		}
		if err := t.check(name, values[name]); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// keyForm tells whether the reader makes one flag of a key, the one it names.
func keyForm(name string) bool {
	return name != "" && name[0] != '-' && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
}

func (t Target) check(name string, value any) error {
	k, known := byName()[name]
	switch {
	case !known:
		return t.unknown(name)
	case k.Never != "":
		return KeyNever.New("cannot use %s: have it in config.yaml of an enclave's node, need it left out", name).Hint("%s", k.Never)
	case k.roles[t.Product] == "-":
		return t.unknown(name)
	case k.use(t) == skipped:
		return KeyRole.New("cannot use %s for %s: have it in the file of a node that passes over it, need it on servers or agents as that key is for", name, t).
			Hint("move it: %s", t.whose(k))
	case k.use(t) == idle:
		return KeyRole.New("cannot use %s for %s: have a key that is read and does nothing there, need it left out", name, t).Hint("%s", t.whose(k))
	case k.First && t.Role != First:
		return KeyRole.New("cannot use %s for %s: have it on a node that joins, need it on the first server only", name, t)
	case k.Join && t.Role == First:
		return KeyRole.New("cannot use %s for %s: have it on the server that starts the cluster, need it on those that join", name, t)
	case !has(t.release(), k.Since):
		return KeyVersion.New("cannot use %s for %s: have a release that passes over it, need %s or later in its line", name, t, sinceText(k.Since))
	}
	return t.checkValue(k, value)
}

// unknown names the nearest key that would work here.
func (t Target) unknown(name string) error {
	f := KeyUnknown.New("cannot use %q for %s: have a key that it passes over with a warning, need one that it takes", name, t)
	if short, ok := map[string]string{"c": "config", "d": "data-dir", "t": "token", "s": "server", "i": "node-ip", "o": "write-kubeconfig", "l": "log"}[name]; ok {
		return f.Hint("write the long name %s", short)
	}
	if list, ok := strings.CutSuffix(name, "+"); ok {
		return f.Hint("write %s: items of the Spec are added to the profile's as it is", list)
	}
	if k, ok := byName()[name]; ok {
		return f.Hint("%s", t.whose(k))
	}
	if near := spec.Nearest(strings.TrimLeft(strings.ReplaceAll(name, "_", "-"), "-"), names(t)); near != "" {
		return f.Hint("did you mean %s?", near)
	}
	return f.Hint("if it is right, and newer than this Caisson's table, name it under unchecked")
}

// whose says in words who takes a key.
func (t Target) whose(k Key) string {
	var who []string
	for _, p := range []Product{RKE2, K3s} {
		for _, r := range []struct{ letter, name string }{{"S", "servers"}, {"A", "agents"}} {
			if strings.Contains(k.roles[p], r.letter) {
				who = append(who, p.title()+" "+r.name)
			}
		}
	}
	if len(who) == 0 {
		return "it has an effect nowhere"
	}
	return "it is for " + strings.Join(who, ", ")
}

func sinceText(since []string) string { return "v" + strings.Join(since, ", v") }

func (t Target) value(name, have, need string) error {
	return KeyValue.New("cannot use %s for %s: have %s, need %s", name, t, have, need)
}

// checkValue finds what the reader would turn into another value. It makes
// text of all that it reads (wrangler pkg/data/convert), so that 0600 without
// quotes becomes 384, and hands that to the flag's own parser.
func (t Target) checkValue(k Key, value any) error {
	items, err := plain(value)
	if err != nil {
		return t.value(k.Name, err.Error(), need(k))
	}
	_, isList := listOf(value)
	switch {
	case len(items) == 0:
		return t.value(k.Name, "nothing", need(k)+", or no such key")
	case isList && k.Kind != List:
		return t.value(k.Name, k.show(items...)+", a list of which only the last would count", need(k))
	case !fits(k.Kind, value):
		return t.value(k.Name, k.show(fmt.Sprintf("%T %v", value, value)), need(k))
	}
	for _, item := range items {
		if err := t.checkItem(k, item); err != nil {
			return err
		}
	}
	return nil
}

func (t Target) checkItem(k Key, item string) error {
	switch {
	case strings.TrimSpace(item) != item || item == "" || strings.ContainsFunc(item, unicode.IsControl) || !utf8.ValidString(item):
		return t.value(k.Name, k.show(strconv.Quote(item)), "text without space around it and without control characters")
	case k.Whole && strings.Contains(item, ","):
		return t.value(k.Name, strconv.Quote(item)+", which is one item to the reader", "a list with each item on its own")
	case k.Args && !argForm(item):
		return t.value(k.Name, strconv.Quote(item), "name=value")
	}
	if len(k.Values) == 0 {
		return nil
	}
	var may []string
	for _, v := range k.Values {
		if has(t.release(), v.Since) {
			may = append(may, v.Name)
		}
	}
	// Lists with known values are split at commas (rke2 pkg/cli/cmds/server.go).
	for _, part := range strings.Split(item, ",") {
		if !slices.Contains(may, part) {
			return t.value(k.Name, strconv.Quote(part), "one of "+strings.Join(may, ", "))
		}
	}
	return nil
}

func argForm(item string) bool {
	name, _, ok := strings.Cut(strings.TrimPrefix(item, "--"), "=")
	return ok && keyForm(strings.TrimRight(name, "+-"))
}

func need(k Key) string {
	switch k.Kind {
	case Bool:
		return "true or false without quotes"
	case Int:
		return "a number"
	case Duration:
		return `a duration such as "10m"`
	case List:
		return "a list of strings"
	}
	return "a string in quotes"
}

// fits tells whether a value is of the kind in itself, not by conversion.
func fits(k Kind, value any) bool {
	switch v := value.(type) {
	case bool:
		return k == Bool
	case string:
		if k == Duration {
			_, err := time.ParseDuration(v)
			return err == nil
		}
		return k == String || k == List
	case time.Duration:
		return k == Duration
	case int, int64, uint64:
		return k == Int
	}
	list, ok := listOf(value)
	return ok && k == List && !slices.ContainsFunc(list, func(v any) bool { _, isText := v.(string); return !isText })
}
