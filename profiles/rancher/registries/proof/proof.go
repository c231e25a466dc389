// Package proof has rancher/wharfie, the library that RKE2 and K3s read
// registries.yaml with, judge what package registries wrote, before a medium is made
// whose nodes write the same. It is for the low side: wharfie brings a registry client, which
// must not be on the node. It asks no registry and opens no connection.
package proof

import (
	"bytes"
	"encoding/json"

	theirs "github.com/rancher/wharfie/pkg/registries"
	yaml "gopkg.in/yaml.v2" // wharfie's own reader

	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/registries"
)

// Registries proves a rendered registries.yaml: wharfie's types take it with no
// key left over, find in it what was meant, and what RKE2 and K3s make of that
// has no endpoint outside.
func Registries(p config.Product, c registries.Config, data []byte) error {
	var found theirs.Registry
	if err := yaml.UnmarshalStrict(data, &found); err != nil {
		return Refused.New("cannot use registries.yaml: wharfie says %w", err)
	}
	want, err := c.File()
	if err != nil {
		return err
	}
	have, err := json.Marshal(found)
	if err != nil {
		return Refused.New("cannot use registries.yaml: %w", err)
	}
	meant, err := json.Marshal(as(want))
	if err != nil {
		return Refused.New("cannot use registries.yaml: %w", err)
	}
	if !bytes.Equal(have, meant) {
		return Refused.New("cannot use registries.yaml for %s: wharfie finds other registries in it than were meant, need the same", p)
	}
	return c.Prove(p, data, true)
}

// as is our value in wharfie's types.
func as(f registries.File) theirs.Registry {
	r := theirs.Registry{Mirrors: map[string]theirs.Mirror{}, Configs: map[string]theirs.RegistryConfig{}}
	for host, m := range f.Mirrors {
		r.Mirrors[host] = theirs.Mirror{Endpoints: m.Endpoint, Rewrites: m.Rewrite}
	}
	for host, s := range f.Configs {
		var c theirs.RegistryConfig
		if s.Auth != nil {
			a := theirs.AuthConfig(*s.Auth)
			c.Auth = &a
		}
		if s.TLS != nil {
			t := theirs.TLSConfig(*s.TLS)
			c.TLS = &t
		}
		r.Configs[host] = c
	}
	if len(r.Configs) == 0 {
		r.Configs = nil
	}
	return r
}
