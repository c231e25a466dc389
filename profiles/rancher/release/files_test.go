package release_test

import (
	"fmt"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

var arches = []string{"amd64", "arm64"}

// TestFiles writes every choice out: the version before a change of the rules
// and the one after it. The lines between are as the ones before.
func TestFiles(t *testing.T) {
	var b strings.Builder
	for _, tag := range []string{"v1.31.14+rke2r1", "v1.35.7+rke2r1", "v1.36.3+rke2r1"} {
		for _, cni := range []string{"canal", "calico", "cilium", "flannel", "multus canal", "multus cilium", "none"} {
			for _, ingress := range []string{"traefik", "ingress-nginx", "traefik ingress-nginx", "none"} {
				for _, arch := range arches {
					c := release.Choice{Version: version(t, tag), Arch: arch, CNI: strings.Fields(cni), Ingress: strings.Fields(ingress)}
					fmt.Fprintf(&b, "%s %s, cni %s, ingress %s: %s\n", tag, arch, cni, ingress, names(t, c))
				}
			}
		}
	}
	for _, tag := range []string{"v1.31.14+k3s1", "v1.36.2+k3s1"} {
		for _, ingress := range []string{"traefik", "none"} {
			for _, arch := range arches {
				fmt.Fprintf(&b, "%s %s, ingress %s: %s\n", tag, arch, ingress, names(t, release.Choice{Version: version(t, tag), Arch: arch, Ingress: []string{ingress}}))
			}
		}
	}
	golden.Equal(t, "files.txt", []byte(b.String()))
	both := []string{"traefik", "ingress-nginx"}
	want := names(t, release.Choice{Version: version(t, "v1.31.14+rke2r1"), Arch: "amd64", CNI: []string{"canal"}, Ingress: both})
	for _, tag := range []string{"v1.32.13+rke2r1", "v1.33.13+rke2r1", "v1.34.10+rke2r1"} {
		if have := names(t, release.Choice{Version: version(t, tag), Arch: "amd64", CNI: []string{"canal"}, Ingress: both}); have != want {
			t.Errorf("%s: have %s, need %s", tag, have, want)
		}
	}
	if strings.Contains(b.String(), "-images-all") || strings.Contains(b.String(), "images.txt") {
		t.Error("a list of images is among the files: on a node it is an order to pull")
	}
}

func names(t *testing.T, c release.Choice) string {
	t.Helper()
	files, err := c.Files()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		out = append(out, f.Name+" ("+string(f.Kind)+")")
	}
	return strings.Join(out, " ")
}

// TestWants writes out what the Wants are from each of the places.
func TestWants(t *testing.T) {
	var b strings.Builder
	for _, c := range []release.Choice{
		{Version: version(t, "v1.31.14+rke2r1"), Arch: "amd64", CNI: []string{"canal"}, Ingress: []string{"traefik"}},
		{Version: version(t, "v1.36.2+k3s1"), Arch: "arm64", Ingress: []string{"traefik"}},
		{Version: version(t, "v1.31.14+rke2r2"), Arch: "amd64", CNI: []string{"none"}, Ingress: []string{"none"}, URL: "https://mirror.example/rke2/"},
		{Version: version(t, "v1.36.3+rke2r1"), Arch: "amd64", CNI: []string{"cilium"}, Ingress: []string{"none"}, Path: "vendor/rke2"},
	} {
		wants, err := c.Wants()
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range wants {
			f := w.File
			fmt.Fprintf(&b, "%s\n  from %s%s\n  by %q, %04o, release %s\n", w.Name, f.URL, f.Path, f.Checksum, f.Mode, f.Release)
		}
	}
	golden.Equal(t, "wants.txt", []byte(b.String()))
}

func TestOfASpec(t *testing.T) {
	e := spec.Enclave{Kubernetes: spec.Kubernetes{Profile: spec.ProfileRKE2, Version: "v1.36.3+rke2r1", Release: &spec.Release{URL: "https://m/rke2"}}}
	spec.Default(&e)
	c, err := release.Of(e, "amd64")
	if err != nil || c.URL != "https://m/rke2" || names(t, c) != "rke2.linux-amd64.tar.gz (bundle) rke2-images-core.linux-amd64.tar.zst (images) rke2-images-canal.linux-amd64.tar.zst (images) sha256sum-amd64.txt (checksums)" {
		t.Errorf("have %+v and %v", c, err)
	}
	e = spec.Enclave{Kubernetes: spec.Kubernetes{Profile: spec.ProfileK3s, Version: "v1.36.2+k3s1", Release: &spec.Release{Path: "k3s"}}}
	spec.Default(&e)
	if c, err := release.Of(e, "amd64"); err != nil || c.Path != "k3s" || !strings.HasPrefix(names(t, c), "k3s (program)") {
		t.Errorf("have %+v and %v", c, err)
	}
	e.Kubernetes.Version = "v1.36.3+rke2r1"
	if _, err := release.Of(e, "amd64"); !release.VersionUnknown.Is(err) {
		t.Errorf("have %v, need RELEASE-VERSION", err)
	}
}

func TestChoiceIsRefused(t *testing.T) {
	good := release.Choice{Version: version(t, "v1.36.3+rke2r1"), Arch: "amd64", CNI: []string{"canal"}, Ingress: []string{"traefik"}}
	k3s := release.Choice{Version: version(t, "v1.36.2+k3s1"), Arch: "amd64", Ingress: []string{"traefik"}}
	for _, c := range []struct {
		what   string
		from   release.Choice
		change func(*release.Choice)
		says   string
	}{
		{"an architecture", good, func(c *release.Choice) { c.Arch = "riscv64" }, `have machine architecture "riscv64", need amd64 or arm64`},
		{"no architecture", good, func(c *release.Choice) { c.Arch = "" }, "machine architecture"},
		{"a CNI", good, func(c *release.Choice) { c.CNI = []string{"../x"} }, `have CNI "../x"`},
		{"no CNI", good, func(c *release.Choice) { c.CNI = nil }, "have CNI nothing"},
		{"multus alone", good, func(c *release.Choice) { c.CNI = []string{"multus"} }, "after multus"},
		{"an ingress", good, func(c *release.Choice) { c.Ingress = []string{"haproxy"} }, `have ingress "haproxy"`},
		{"a CNI of K3s", k3s, func(c *release.Choice) { c.CNI = []string{"flannel"} }, "built in"},
		{"an ingress that K3s has not", k3s, func(c *release.Choice) { c.Ingress = []string{"ingress-nginx"} }, "have ingress"},
		{"two places", good, func(c *release.Choice) { c.URL, c.Path = "https://m", "x" }, "have both https://m and x"},
		{"customers' release of the public server", good, func(c *release.Choice) { c.Version = version(t, "v1.31.14+rke2r2") }, "or v1.31.14+rke2r1"},
	} {
		c.change(&c.from)
		if _, err := c.from.Wants(); !release.ChoiceRefused.Is(err) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: have %v, need RELEASE-CHOICE with %q", c.what, err, c.says)
		}
	}
	good.Version = release.Version{Product: release.RKE2, Minor: 40, Revision: 1}
	if _, err := good.Files(); !release.VersionUnknown.Is(err) {
		t.Errorf("have %v, need RELEASE-VERSION for a version that Parse did not make", err)
	}
}
