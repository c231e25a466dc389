package node

import (
	"errors"
	"slices"
	"strings"

	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

// taken are keys that no Spec may set, checked or not, and why.
var taken = map[string]string{
	"data-dir":                   "the image archives and secrets are laid where it is by default",
	"private-registry":           "registries.yaml is this node's own",
	"system-default-registry":    "the archives have the images under docker.io: with another name each is pulled from there",
	"airgap-extra-registry":      "no node asks a registry but its own",
	"container-runtime-endpoint": "the archives are imported into the product's own containerd",
	"image-service-endpoint":     "the archives are imported into the product's own containerd",
	"docker":                     "the archives are imported into the product's own containerd",
	"server":                     "the roster says whom a node joins",
	"token":                      "the Spec is read by many: caisson secrets makes tokens",
	"agent-token":                "the Spec is read by many: caisson secrets makes tokens",
	"token-file":                 "caisson secrets makes tokens",
	"agent-token-file":           "caisson secrets makes tokens",
	"etcd-s3-access-key":         "the Spec is read by many: name a Secret in etcd-s3-config-secret",
	"etcd-s3-secret-key":         "the Spec is read by many: name a Secret in etcd-s3-config-secret",
	"etcd-s3-session-token":      "the Spec is read by many: name a Secret in etcd-s3-config-secret",
	"datastore-endpoint":         "the cluster's state is on its own nodes",
}

// CheckExtra checks what the Spec adds to config.yaml for each role, whether or
// not the roster has a node of it.
func CheckExtra(e spec.Enclave, v release.Version) error {
	x := Extra(e)
	var errs []error
	for _, role := range []config.Role{config.First, config.Agent} {
		t := config.Target{Product: config.Product(v.Product), Role: role, Version: v.String()}
		_, err := config.New(t).Extra(x).Values()
		errs = append(errs, err)
	}
	for _, keys := range []map[string]any{x.Server, x.Agent} {
		var names []string
		for name := range keys {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			why, ok := taken[strings.TrimSuffix(name, "+")]
			if !ok && (strings.HasSuffix(name, "-image") || strings.HasSuffix(name, "-image+")) {
				why, ok = "the archives have the images that the release names, and no others", true
			}
			if ok {
				errs = append(errs, config.KeyNever.New("cannot use %s: have it in kubernetes.extra, need it left to the profile", name).Hint("%s", why))
			}
		}
	}
	return errors.Join(errs...)
}
