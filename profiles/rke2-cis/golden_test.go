package rke2cis

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"caisson.dev/caisson/internal/golden"
)

// every is a release of each line, and of the oldest one from before each of its
// changes (package release).
var every = []string{
	"v1.31.8+rke2r1", "v1.31.9+rke2r1", "v1.31.14+rke2r1", "v1.32.13+rke2r1", "v1.33.13+rke2r1", "v1.34.9+rke2r1", "v1.35.7+rke2r1", newest,
}

// TestRenderGolden: the whole tree of the first server of the newest line; of the
// other roles, lines, pod networks and ingresses what is not the same there.
func TestRenderGolden(t *testing.T) {
	base := map[string]rendered{}
	var others golden.Beside
	for _, name := range roles {
		base[name] = treeOf(t, render(t, input(t, site(newest, "canal"), name)))
		others.Add(name, newest, base[first].all(), base[name].all())
	}
	whole := txtar.Archive{Comment: []byte(base[first].head)}
	for _, path := range slices.Sorted(maps.Keys(base[first].files)) {
		whole.Files = append(whole.Files, txtar.File{Name: path, Data: []byte(base[first].files[path])})
	}
	golden.Equal(t, "first.txtar", txtar.Format(&whole))
	golden.Equal(t, "roles.txtar", others.Archive("What is not as on "+first+".\n"))

	var lines golden.Beside
	add := func(v string, cni, ingress []string) {
		for _, name := range roles {
			e := site(v, cni...)
			e.Kubernetes.Ingress = ingress
			kind := strings.Join([]string{name, strings.Join(cni, "+"), strings.Join(ingress, "+")}, " ")
			lines.Add(kind, v, base[name].all(), treeOf(t, render(t, input(t, e, name))).all())
		}
	}
	for _, v := range every {
		for _, cni := range []string{"canal", "calico", "cilium", "flannel"} {
			add(v, []string{cni}, []string{"traefik"})
			add(v, []string{"multus", cni}, []string{"traefik"})
		}
		add(v, []string{"none"}, []string{"traefik"})
		for _, ingress := range [][]string{{"ingress-nginx"}, {"traefik", "ingress-nginx"}, {"ingress-nginx", "traefik"}, {"none"}} {
			add(v, []string{"canal"}, ingress)
		}
	}
	golden.Equal(t, "lines.txtar", lines.Archive("What is not as on the same node in "+newest+" with canal and traefik.\n"))
}
