package registries

import (
	"errors"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"caisson.dev/caisson/profiles/rancher/config"
)

// Tree is a certs.d folder: hosts.toml by folder name, nil for a folder without.
type Tree map[string][]byte

// TreeOf is the folder that RKE2 or K3s would write.
func TreeOf(p config.Product, f File, noDefault bool) Tree {
	t := Tree{}
	for dir, hf := range Generate(p, f, noDefault) {
		t[dir] = hf.TOML()
	}
	return t
}

// ReadTree reads certs.d of a live node; no such folder is an empty one.
func ReadTree(dir fs.FS) (Tree, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, Leak.New("cannot tell where images come from: %w", err)
	}
	t := Tree{}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		data, err := fs.ReadFile(dir, e.Name()+"/hosts.toml")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, Leak.New("cannot tell where images come from: %w", err)
		}
		t[e.Name()] = data
	}
	return t, nil
}

// Flavour is whose containerd it is. They differ in the last resort.
type Flavour int

const (
	// Upstream containerd falls back to the image's own registry wherever no
	// server is named (containerd core/remotes/docker/config/hosts.go).
	Upstream Flavour = iota
	// Rancher is the containerd within RKE2 and K3s: no server line at all, with
	// one [host] at least, means no last resort (k3s-io/k3s issue 8975).
	Rancher
)

// Endpoints is every URL that containerd would ask for an image of the host, in
// no order: the first folder that there is of host_port_, host:port and _default, whether
// or not it holds a file that can be read; in it each [host], then the last
// resort (containerd core/remotes/docker/config/hosts.go).
func (t Tree) Endpoints(host string, flavour Flavour) []string {
	upstream, _ := normalize(host)
	var dirs []string
	if name, port, ok := strings.Cut(host, ":"); ok {
		dirs = append(dirs, name+"_"+port+"_")
	}
	for _, dir := range append(dirs, host, defaultDir) {
		data, there := t[dir]
		if !there {
			continue
		}
		var c struct {
			Server *string
			Host   map[string]struct{}
		}
		if err := toml.Unmarshal(data, &c); err != nil {
			return []string{upstream}
		}
		out := slices.Sorted(maps.Keys(c.Host))
		switch {
		case c.Server != nil && *c.Server != "":
			return append(out, *c.Server)
		case flavour == Rancher && c.Server == nil && len(out) > 0:
			return out
		}
		return append(out, upstream)
	}
	return []string{upstream}
}

// Leaks reports each image host whose images would be asked for outside the
// enclave's registries: the hosts that the tree names, the carried ones, the
// public ones, some host that nobody has named, and those given.
func (c Config) Leaks(t Tree, flavour Flavour, hosts ...string) error {
	inside := map[string]bool{}
	for _, m := range c.Mirrors {
		_, host, _ := strings.Cut(m.Base, "://")
		inside[host] = true
	}
	all := slices.Concat(hosts, c.Hosts, upstream, []string{"nobody.invalid", "nobody.invalid:5000", "localhost", "localhost:5000"})
	for dir := range t {
		if dir == defaultDir {
			continue
		}
		if name, ok := strings.CutSuffix(dir, "_"); ok {
			if i := strings.LastIndex(name, "_"); i > 0 {
				dir = name[:i] + ":" + name[i+1:]
			}
		}
		all = append(all, dir)
	}
	slices.Sort(all)
	var faults []error
	for _, host := range slices.Compact(all) {
		for _, e := range t.Endpoints(host, flavour) {
			if u, err := url.Parse(e); err != nil || !inside[u.Host] {
				faults = append(faults, Leak.New("cannot keep images of %s inside: have the endpoint %s, need the enclave's registries only", host, e).
					Hint("config.yaml has disable-default-registry-endpoint, registries.yaml a mirror for \"*\", and certs.d no folder of another's"))
			}
		}
	}
	return errors.Join(faults...)
}

// Prove is Leaks of what the product makes of registries.yaml.
func (c Config) Prove(p config.Product, data []byte, noDefault bool) error {
	f, err := Parse(data)
	if err != nil {
		return err
	}
	return c.Leaks(TreeOf(p, f, noDefault), Rancher)
}
