package node_test

import (
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

// TestExtraLeavesTheProfilesKeys: what would lead out of the enclave, or away from
// where the nodes meet, is refused at the desk, with the table's leave or without.
func TestExtraLeavesTheProfilesKeys(t *testing.T) {
	for _, p := range []release.Product{release.RKE2, release.K3s} {
		for _, c := range []struct {
			values map[string]any
			code   fault.Kind // none: it may stand there
			words  string
		}{
			{map[string]any{"embedded-registry": true}, config.KeyNever, "embedded-registry"},
			{map[string]any{"private-registry": "/x"}, config.KeyNever, "private-registry"},
			{map[string]any{"runtime-image": "x"}, config.KeyNever, "runtime-image"},
			{map[string]any{"etcd-s3": true}, config.KeyValue, "have no etcd-s3-endpoint, which means s3.amazonaws.com"},
			{map[string]any{"etcd-s3": "true"}, config.KeyValue, "have no etcd-s3-endpoint"},
			{map[string]any{"etcd-s3": true, "etcd-s3-endpoint": "S3.eu-west-1.AmazonAWS.com:443"}, config.KeyValue, "have S3.eu-west-1.AmazonAWS.com:443"},
			{map[string]any{"etcd-s3": true, "etcd-s3-endpoint": "10.0.0.5:9000", "etcd-s3-config-secret": "x"}, config.KeyNever, "etcd-s3-config-secret"},
			{map[string]any{"etcd-s3-secret-key": "x"}, config.KeyNever, "config.yaml.d"},
			{map[string]any{"etcd-s3": true, "etcd-s3-endpoint": "s3.site.example:9000", "etcd-s3-bucket": "b"}, fault.Kind{}, ""},
			{map[string]any{"etcd-s3": false}, fault.Kind{}, ""},
			{map[string]any{"debug": true}, fault.Kind{}, ""},
			{map[string]any{"https-listen-port": 7443}, config.KeyNever, "https-listen-port"},
			{map[string]any{"supervisor-port": 7443}, config.KeyNever, "nodes join at port 6443"},
		} {
			for _, checked := range []bool{true, false} {
				x := &spec.Extra{Server: c.values}
				for name := range c.values {
					if !checked {
						x.Unchecked = append(x.Unchecked, name)
					}
				}
				v := v136
				v.Product = p
				err := node.CheckExtra(spec.Enclave{Kubernetes: spec.Kubernetes{Extra: x}}, v)
				if c.code.Code == "" && err != nil || c.code.Code != "" && !says(err, c.code, c.words) {
					t.Errorf("%s %v, checked %v: have %v, need %q with %q", p, c.values, checked, err, c.code.Code, c.words)
				}
			}
		}
	}
}

// says tells whether one of the faults is of that kind and has the words, be it in
// its hint.
func says(err error, k fault.Kind, words string) bool {
	return slices.ContainsFunc(fault.All(err), func(f *fault.Fault) bool {
		return k.Is(f) && strings.Contains(f.Error(), words)
	})
}
