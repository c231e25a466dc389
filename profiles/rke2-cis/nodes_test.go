package rke2cis

import (
	"os"
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/nodeos"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/node"
)

// all calls fn for every role of every version line.
func all(t *testing.T, fn func(t *testing.T, version, name string, n rendered)) {
	t.Helper()
	for _, v := range versions {
		for _, name := range roles {
			fn(t, v, name, treeOf(t, render(t, input(t, site(v, "canal"), name))))
		}
	}
}

// settings is config.yaml as RKE2 reads it.
func settings(t *testing.T, n rendered) config.Values {
	t.Helper()
	c, err := config.Parse([]byte(n.file("/etc/rancher/rke2/config.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	return c.Values
}

func osPackages(t *testing.T) []string {
	t.Helper()
	e := site(newest)
	var out []string
	for _, w := range nodeos.Wants(e) {
		if w.Debian != nil {
			out = append(out, w.Debian.Packages...)
		}
	}
	return out
}

func documented(t *testing.T, words ...string) {
	t.Helper()
	raw, err := os.ReadFile("../../docs/choosing-a-profile.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(raw), "## What no profile can do for you")
	for _, w := range words {
		if !strings.Contains(list, w) {
			t.Errorf("docs/choosing-a-profile.md does not say %q", w)
		}
	}
}

func refusedPackages(t *testing.T, packages ...string) {
	t.Helper()
	have := osPackages(t)
	for _, p := range packages {
		if slices.Contains(have, p) {
			t.Errorf("%s is in the node OS", p)
		}
		e := site(newest)
		e.OS.Packages = []string{p}
		if _, err := New().Wants(e); !node.PackageClash.Is(err) || !strings.Contains(err.Error(), "OS-PACKAGE-CLASH") {
			t.Errorf("%s: have %v, need OS-PACKAGE-CLASH", p, err)
		}
	}
}
