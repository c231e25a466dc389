package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	yaml "go.yaml.in/yaml/v2"

	"caisson.dev/caisson/internal/size"
)

// maxFile bounds one config file; real ones have a few KiB.
const maxFile = 1 * size.MiB

// Content is what the product makes of its config files.
type Content struct {
	Values Values
	Args   []string // the command line that it becomes: --key=value, lists repeated
}

// Read reads config.yaml and config.yaml.d below a folder (/etc/rancher/rke2)
// as RKE2 and K3s do (k3s pkg/configfilearg/parser.go, readConfigFile): the
// main file, then the drop-ins ending in .yaml or .yml in whatever case, in the
// order of their names, no sub-folders. The last file that has a key decides,
// and the last line within a file; "key+" adds to what came before. A key keeps
// the place where it was seen first. Neither the main file nor the folder need
// be there.
func Read(dir fs.FS) (Content, error) {
	names, err := files(dir)
	if err != nil {
		return Content{}, Unreadable.New("cannot read the config files: %w", err)
	}
	r := reader{values: Values{}}
	for _, name := range names {
		data, err := readBounded(dir, name)
		if err == nil {
			err = r.add(data)
		}
		if err != nil {
			return Content{}, Unreadable.New("cannot read %s: %w", name, err).Hint("it is one YAML mapping from keys to values")
		}
	}
	return r.content(), nil
}

// Parse is Read of one file.
func Parse(data []byte) (Content, error) {
	r := reader{values: Values{}}
	if err := r.add(data); err != nil {
		return Content{}, Unreadable.New("cannot read config.yaml: %w", err).Hint("it is one YAML mapping from keys to values")
	}
	return r.content(), nil
}

func files(dir fs.FS) ([]string, error) {
	var names []string
	if _, err := fs.Stat(dir, "config.yaml"); err == nil {
		names = append(names, "config.yaml")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	entries, err := fs.ReadDir(dir, "config.yaml.d")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if low := strings.ToLower(e.Name()); !e.IsDir() && (strings.HasSuffix(low, ".yaml") || strings.HasSuffix(low, ".yml")) {
			names = append(names, path.Join("config.yaml.d", e.Name()))
		}
	}
	return names, nil
}

func readBounded(dir fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(dir, name)
	if err != nil {
		return nil, err
	}
	if have := size.Bytes(info.Size()); have > maxFile {
		return nil, fmt.Errorf("have %s, need at most %s", have, maxFile)
	}
	return fs.ReadFile(dir, name)
}

type reader struct {
	order  []string
	values Values
}

func (r *reader) add(data []byte) error {
	var doc yaml.MapSlice
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return err
	}
	for _, line := range doc {
		name, more := strings.CutSuffix(text(line.Key), "+")
		old, seen := r.values[name]
		if !seen {
			r.order = append(r.order, name)
		}
		if seen && more {
			r.values[name] = append(slice(old), slice(line.Value)...)
		} else {
			r.values[name] = line.Value
		}
	}
	return nil
}

func (r *reader) content() Content {
	c := Content{Values: r.values}
	for _, name := range r.order {
		list, isList := r.values[name].([]any)
		if !isList {
			list = []any{r.values[name]}
		}
		for _, v := range list {
			c.Args = append(c.Args, flag(name, text(v)))
		}
	}
	return c
}

// slice is a value as the list that "key+" adds to.
func slice(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case string:
		return []any{v}
	}
	if s := strings.TrimSpace(text(v)); s != "" {
		return []any{s}
	}
	return nil
}

// text is a value as the reader hands it on: nothing is empty, of a list within
// a list the first item counts.
func text(v any) string {
	if list, ok := v.([]any); ok {
		if len(list) == 0 {
			return ""
		}
		v = list[0]
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
