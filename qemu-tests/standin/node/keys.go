package node

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/profiles/rancher/config"
)

// keys are the flags that config.yaml came to, by name.
type keys map[string][]string

func (k keys) list(name string) []string { return k[name] }

func (k keys) text(name, otherwise string) string {
	if v := k[name]; len(v) > 0 && v[len(v)-1] != "" {
		return v[len(v)-1]
	}
	return otherwise
}

func (k keys) yes(name string) bool { return k.text(name, "false") == "true" }

// arg is the last value of a name=value flag such as kubelet-arg.
func (k keys) arg(flag, name string) string {
	value := ""
	for _, item := range k[flag] {
		if n, v, ok := strings.Cut(strings.TrimPrefix(item, "--"), "="); ok && n == name {
			value = v
		}
	}
	return value
}

// readConfig reads config.yaml and its drop-ins. A key that the role does
// not take is passed over with the vendor's warning; a value that its flag does
// not take is fatal. Strictly, both end it.
func (p *Program) readConfig(context.Context) error {
	content, err := config.Read(os.DirFS(p.etc()))
	if err != nil {
		return err
	}
	var strict []error
	for _, name := range slices.Sorted(maps.Keys(content.Values)) {
		err := config.Check(p.target(content.Values), config.Values{name: content.Values[name]})
		if err == nil {
			continue
		}
		strict = append(strict, err)
		if config.KeyValue.Is(err) && p.Lax {
			return fmt.Errorf("invalid value for flag --%s: %w", name, err)
		}
		if passedOver(err) {
			p.say("level=warning msg=\"Unknown flag --%s found in config.yaml, skipping\"", name)
			delete(content.Values, name)
		}
	}
	if err := errors.Join(strict...); err != nil && !p.Lax {
		return err
	}
	p.keys = keys{}
	for _, a := range content.Args {
		name, value, _ := strings.Cut(strings.TrimLeft(a, "-"), "=")
		if _, there := content.Values[name]; there {
			p.keys[name] = append(p.keys[name], value)
		}
	}
	return nil
}

// passedOver tells whether the real program would warn and go on, as the table's
// own words say.
func passedOver(err error) bool {
	return slices.ContainsFunc(fault.All(err), func(f *fault.Fault) bool {
		return strings.Contains(f.What, "passes over it") || strings.Contains(f.What, "it passes over")
	})
}

func (p *Program) target(v config.Values) config.Target {
	role := config.Agent
	if _, joins := v["server"]; p.Server && joins {
		role = config.Further
	} else if p.Server {
		role = config.First
	}
	return config.Target{Product: p.Product, Role: role, Version: p.Version}
}
