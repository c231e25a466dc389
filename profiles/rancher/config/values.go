package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CheckServers reports each key that must be the same on all servers and is not
// (k3s pkg/daemons/config/types.go, CriticalControlArgs; RKE2 and K3s docs,
// server configuration). A server that differs cannot join.
func CheckServers(p Product, first, further Values) error {
	var faults []error
	differ := func(what, a, b string) {
		faults = append(faults, ServersDiffer.New("cannot join two servers: %s is %s on the first and %s on the other, need the same on both", what, a, b))
	}
	for _, k := range Keys() {
		if !k.Same || k.roles[p] == "-" {
			continue
		}
		a, _ := plain(first[k.Name])
		b, _ := plain(further[k.Name])
		if !slices.Equal(a, b) {
			differ(k.Name, k.show(a...), k.show(b...))
		}
	}
	if p == K3s { // here it is no key of its own
		a, _ := plain(first["disable"])
		b, _ := plain(further["disable"])
		if on, other := serviceLB(a), serviceLB(b); on != other {
			differ("servicelb", on, other)
		}
	}
	return errors.Join(faults...)
}

// serviceLB tells whether a list of disabled parts has K3s' load balancer.
func serviceLB(disabled []string) string {
	if slices.Contains(strings.Split(strings.Join(disabled, ","), ","), "servicelb") {
		return "disabled"
	}
	return "enabled"
}

// show is a value in an error. Secrets are not shown.
func (k Key) show(items ...string) string {
	switch {
	case len(items) == 0:
		return "nothing"
	case k.Secret:
		return "a secret"
	}
	return strings.Join(items, " ")
}

// flag is one item on the command line.
func flag(name, item string) string {
	if len(name) == 1 {
		return "-" + name + "=" + item
	}
	return "--" + name + "=" + item
}

// plain is a value as the texts that its flag gets.
func plain(value any) ([]string, error) {
	if list, ok := listOf(value); ok {
		out := make([]string, 0, len(list))
		for _, v := range list {
			one, err := plain(v)
			if _, nested := listOf(v); nested || err != nil || v == nil {
				return nil, fmt.Errorf("%T in a list", v)
			}
			out = append(out, one...)
		}
		return out, nil
	}
	switch v := value.(type) {
	case nil:
		return nil, nil
	case bool:
		return []string{strconv.FormatBool(v)}, nil
	case string:
		return []string{v}, nil
	case time.Duration:
		return []string{v.String()}, nil
	case int, int64, uint64:
		return []string{fmt.Sprint(v)}, nil
	}
	return nil, fmt.Errorf("%T", value)
}

// listOf is a list as its items. (The YAML reader's mappings are slices too:
// they are no lists.)
func listOf(value any) ([]any, bool) {
	switch list := value.(type) {
	case []any:
		return list, true
	case []string:
		out := make([]any, len(list))
		for i, s := range list {
			out[i] = s
		}
		return out, true
	}
	return nil, false
}
