package node

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

// taken are keys that the profile keeps for itself, checked or not, and why.
var taken = map[string]string{
	"data-dir":                   "the image archives and secrets are laid where it is by default",
	"private-registry":           "registries.yaml is this node's own",
	"embedded-registry":          "it adds an endpoint of its own to each mirror; every node has a registry with all carried images already",
	"system-default-registry":    "the archives have the images under docker.io: with another name each is pulled from there",
	"airgap-extra-registry":      "no node asks a registry but its own",
	"container-runtime-endpoint": "the archives are imported into the product's own containerd",
	"image-service-endpoint":     "the archives are imported into the product's own containerd",
	"docker":                     "the archives are imported into the product's own containerd",
	"server":                     "the roster says whom a node joins",
	"https-listen-port":          "nodes join at port " + Port(release.K3s),
	"supervisor-port":            "nodes join at port " + Port(release.K3s),
	"apiserver-port":             "nodes join at port " + Port(release.K3s),
	"token-file":                 "caisson secrets makes tokens",
	"agent-token-file":           "caisson secrets makes tokens",
	"datastore-endpoint":         "the cluster's state is on its own nodes",
	// Beside an endpoint in config.yaml it is passed over (k3s pkg/etcd/s3/s3.go,
	// GetClient), and without one nobody sees where the snapshots go.
	"etcd-s3-config-secret": "config.yaml says where snapshots go, in etcd-s3-endpoint, and then this is passed over",
}

// untold are keys whose values a Spec cannot keep secret, and what to do.
var untold = map[string]string{
	"token":                 "caisson secrets makes tokens",
	"agent-token":           "caisson secrets makes tokens",
	"etcd-s3-access-key":    "lay it into config.yaml.d on the servers",
	"etcd-s3-secret-key":    "lay it into config.yaml.d on the servers",
	"etcd-s3-session-token": "lay it into config.yaml.d on the servers",
}

// kept tells why the profile keeps a key for itself.
func kept(name string) (why string, ok bool) {
	name = strings.TrimSuffix(name, "+")
	if why, ok = taken[name]; !ok && strings.HasSuffix(name, "-image") {
		return "the archives have the images that the release names, and no others", true
	}
	return why, ok
}

// checkS3 demands an endpoint for snapshots that are sent away: the product's own
// default is on the internet (k3s pkg/etcd/s3/s3.go).
func checkS3(values map[string]any) error {
	const outside = "amazonaws.com"
	on, set := values["etcd-s3"]
	endpoint, _ := values["etcd-s3-endpoint"].(string)
	host, _, _ := strings.Cut(strings.ToLower(endpoint), ":")
	switch {
	case !set || fmt.Sprint(on) == "false":
		return nil
	case endpoint == "":
		endpoint = "no etcd-s3-endpoint, which means s3." + outside
	case !strings.Contains(host, outside):
		return nil
	}
	return config.KeyValue.New("cannot use etcd-s3: have %s, need the address of a store in the enclave in etcd-s3-endpoint", endpoint).
		Hint("snapshots are kept on the servers without it, too")
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
		for _, name := range slices.Sorted(maps.Keys(keys)) {
			why, ok := kept(name)
			if need, secret := untold[strings.TrimSuffix(name, "+")]; secret {
				why, ok = "the Spec is read by many: "+need, true
			}
			if ok {
				errs = append(errs, config.KeyNever.New("cannot use %s: have it in kubernetes.extra, need it left to the profile", name).Hint("%s", why))
			}
		}
		errs = append(errs, checkS3(keys))
	}
	return errors.Join(errs...)
}
