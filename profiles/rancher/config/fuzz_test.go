package config_test

import (
	"fmt"
	"slices"
	"testing"

	yaml "gopkg.in/yaml.v2" // the reader that RKE2 and K3s are built with

	"caisson.dev/caisson/profiles/rancher/config"
)

// FuzzRendered: whatever the values are, the product's own YAML reader finds in
// the file what was put in, and Read agrees with it.
func FuzzRendered(f *testing.F) {
	for _, s := range []string{"0600", "yes", "1:30", "~", "", " a ", "a: b", "- a", "#", "1e3", "0x10", "&a *b", "!!str", "\u2028", "\xff", "{", "'\"", "2024-01-01", "a\nb\n", "<<", "=", ".inf", "|", "%", "@", "`"} {
		f.Add("key-1", s, s+"2", int64(len(s)), s == "yes")
	}
	f.Fuzz(func(t *testing.T, key, text, item string, n int64, on bool) {
		values := config.Values{"text": text, "list": []any{item, text}, "number": n, "switch": on, key: item}
		data, err := config.Render(values)
		if err != nil {
			if config.ReadsBackWrong.Is(err) && plainKey(key) {
				t.Fatal(err)
			}
			return
		}
		var doc yaml.MapSlice
		if err := yaml.Unmarshal(data, &doc); err != nil {
			t.Fatalf("the product cannot read this: %v\n%s", err, data)
		}
		want := map[string]string{"text": text, "list": fmt.Sprint([]any{item, text}), "number": fmt.Sprint(n), "switch": fmt.Sprint(on)}
		want[key] = item
		if len(doc) != len(want) {
			t.Fatalf("have %d keys, need %d:\n%s", len(doc), len(want), data)
		}
		for _, line := range doc {
			if have := fmt.Sprint(line.Value); have != want[fmt.Sprint(line.Key)] {
				t.Fatalf("%v: have %q, need %q:\n%s", line.Key, have, want[fmt.Sprint(line.Key)], data)
			}
		}
		again, err := config.Render(values)
		if err != nil || !slices.Equal(data, again) {
			t.Fatalf("a second time it is another file: %v", err)
		}
	})
}

func plainKey(key string) bool {
	for _, r := range key {
		if r < 'a' || r > 'z' {
			return false
		}
	}
	return key != ""
}

// FuzzParse: no file breaks the reader, and what it found it can write again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"a: b", "a+: [b, c]\na: d\na+: e\n", "<<: {a: b}", "? [a]\n: b", "a: &x [*x]", "1: 2\n1.5: {a: b}", "---\na: b\n---\nc: d\n", "a: !!binary aGk="} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse(data)
		if err != nil {
			if !config.Unreadable.Is(err) {
				t.Fatalf("have %v, need RANCHER-CONFIG-UNREADABLE", err)
			}
			return
		}
		_ = config.Check(config.Target{Product: config.RKE2, Role: config.First, Version: "v1.36.3+rke2r1"}, c.Values)
		if out, err := config.Render(c.Values); err == nil {
			if again, err := config.Parse(out); err != nil || len(again.Args) != len(c.Args) {
				t.Fatalf("have %q, %v after %q", again.Args, err, c.Args)
			}
		}
	})
}
