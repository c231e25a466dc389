package check

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"caisson.dev/caisson/profiles"
)

// Encryption: secrets are written by a provider that encrypts; the first in the
// list writes.
func (p Pods) Encryption(root string) profiles.Result {
	const want = "aescbc, aesgcm, secretbox or kms first"
	flags, err := p.Flags(root, "kube-apiserver")
	if err != nil {
		return Unreadable(err, want)
	}
	var c struct {
		Resources []struct {
			Resources []string         `json:"resources"`
			Providers []map[string]any `json:"providers"`
		} `json:"resources"`
	}
	path := flags["encryption-provider-config"]
	if path == "" {
		return Verdict(false, "no configuration", want)
	}
	if err := ReadYAML(root, path, &c); err != nil {
		return Unreadable(err, want)
	}
	for _, r := range c.Resources {
		if !slices.Contains(r.Resources, "secrets") || len(r.Providers) == 0 {
			continue
		}
		for provider := range r.Providers[0] {
			ok := slices.Contains([]string{"aescbc", "aesgcm", "secretbox", "kms"}, provider)
			return Verdict(ok, "secrets: "+provider, want)
		}
	}
	return Verdict(false, "secrets: as they are", want)
}

// ReadYAML reads a file of the node.
func ReadYAML(root, path string, v any) error {
	raw, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		return err
	}
	return yaml.Unmarshal(raw, v)
}

// Lookup is the value at a path of keys, lists joined by commas; "" if it is not there.
func Lookup(v any, path []string) string {
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[p]
	}
	switch v := v.(type) {
	case nil:
		return ""
	case []any:
		var parts []string
		for _, x := range v {
			parts = append(parts, fmt.Sprint(x))
		}
		return strings.Join(parts, ",")
	default:
		return fmt.Sprint(v)
	}
}
