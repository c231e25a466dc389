package registries_test

import (
	"net/url"
	"regexp"
	"slices"
	"testing"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/registries"
)

var references = []string{
	"busybox", "busybox:1.37", "rancher/rke2-runtime:v1.36.3-rke2r1", "docker.io/rancher/mirrored-pause:3.6", "index.docker.io/library/x", "registry.k8s.io/pause:3.10",
	"quay.io/a/b@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "reg.local:5000/x:1", "localhost/x", "localhost:5000/x", "A.b:443/c", "10.0.0.1:80/x",
	"cp-2.site.example:5443/own/image:1", "127.0.0.1:5000/x",
}

// outside are the endpoints for an image that are none of the enclave's.
func outside(t *testing.T, tree registries.Tree, flavour registries.Flavour, ref string, inside []string) []string {
	t.Helper()
	n, err := images.ParseRef(ref)
	if err != nil {
		return nil
	}
	var out []string
	all := tree.Endpoints(n.Host, flavour)
	if len(all) == 0 {
		t.Fatalf("%s: no endpoint at all", ref)
	}
	for _, e := range all {
		if u, err := url.Parse(e); err != nil || u.User != nil || !slices.Contains(inside, u.Host) {
			out = append(out, e)
		}
	}
	return out
}

var inside = []string{"127.0.0.1:5000", "cp-2.site.example:5443"}

// FuzzNoEndpointLeavesTheEnclave: whatever image is pulled, whichever are
// carried, with another mirror of the site that rewrites names, the containerd
// of RKE2 and K3s and upstream's have nowhere to go but the enclave's registries.
func FuzzNoEndpointLeavesTheEnclave(f *testing.F) {
	for i, ref := range references {
		f.Add(ref, references[(i+5)%len(references)], "^library/(.*)$", "mirrored/$1", i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, pulled, carried, from, to string, rewriteAny bool) {
		hosts, err := images.Hosts([]string{carried})
		if err != nil {
			return
		}
		c := site()
		c.Hosts = hosts
		data, err := c.YAML()
		if err != nil {
			t.Fatal(err)
		}
		file, err := registries.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		// A carried image is asked for where the registries hold it, any other nowhere.
		n, err := images.ParseRef(carried)
		if err != nil {
			t.Fatal(err)
		}
		if have := rewritten(t, file, n.Host, n.Path); have != n.Repository() {
			t.Fatalf("%s is asked for as %s, need %s", carried, have, n.Repository())
		}
		if have := rewritten(t, file, "*", n.Path); have != "not-carried/"+n.Path {
			t.Fatalf("%s of no carried host is asked for as %s", n.Path, have)
		}
		key := hosts[0]
		if rewriteAny {
			key = "*"
		}
		file.Mirrors[key] = registries.MirrorEntry{Endpoint: []string{"https://cp-2.site.example:5443", "127.0.0.1:5000"}, Rewrite: map[string]string{from: to}}
		for _, p := range []config.Product{config.RKE2, config.K3s} {
			if out := outside(t, registries.TreeOf(p, file, true), registries.Rancher, pulled, inside); len(out) > 0 {
				t.Fatalf("%s with %s carried would be asked for at %q", pulled, carried, out)
			}
		}
		c.Mirrors[1].Auth = nil
		files, err := c.Containerd()
		if err != nil {
			t.Fatal(err)
		}
		if out := outside(t, treeOf(files), registries.Upstream, pulled, inside); len(out) > 0 {
			t.Fatalf("upstream containerd would ask for %s at %q", pulled, out)
		}
	})
}

// rewritten is a repository after the rewrites of a mirror entry.
func rewritten(t *testing.T, f registries.File, host, repository string) string {
	t.Helper()
	for from, to := range f.Mirrors[host].Rewrite {
		repository = regexp.MustCompile(from).ReplaceAllString(repository, to)
	}
	return repository
}

// TestMutations takes one thing away each time; the property must fail.
func TestMutations(t *testing.T) {
	c := site()
	good, err := c.File()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []struct {
		summary   string
		noDefault bool
		flavour   registries.Flavour
		change    func(registries.File)
		ref       string // the image that gets out; empty: none does
	}{
		{"as it is", true, registries.Rancher, func(registries.File) {}, ""},
		{"without disable-default-registry-endpoint, a carried host", false, registries.Rancher, func(registries.File) {}, "busybox"},
		{"without disable-default-registry-endpoint, another", false, registries.Rancher, func(registries.File) {}, "A.b:443/c"},
		{"upstream's containerd, which needs a server line", true, registries.Upstream, func(registries.File) {}, "A.b:443/c"},
		{"without the mirror for any host", true, registries.Rancher, func(f registries.File) { delete(f.Mirrors, "*") }, "A.b:443/c"},
		{"any host without endpoints", true, registries.Rancher, func(f registries.File) { f.Mirrors["*"] = registries.MirrorEntry{} }, "A.b:443/c"},
		{"a carried host without endpoints falls to any host", true, registries.Rancher, func(f registries.File) { f.Mirrors["docker.io"] = registries.MirrorEntry{} }, ""},
		{"settings for a public host", true, registries.Rancher, func(f registries.File) {
			f.Configs["docker.io"] = registries.Settings{Auth: &registries.AuthEntry{Username: "x"}}
		}, "busybox"},
		{"a public endpoint", true, registries.Rancher, func(f registries.File) {
			f.Mirrors["docker.io"] = registries.MirrorEntry{Endpoint: []string{"https://mirror.example.org"}}
		}, "busybox"},
	} {
		t.Run(m.summary, func(t *testing.T) {
			f := registries.File{Mirrors: map[string]registries.MirrorEntry{}, Configs: map[string]registries.Settings{}}
			for k, v := range good.Mirrors {
				f.Mirrors[k] = v
			}
			for k, v := range good.Configs {
				f.Configs[k] = v
			}
			m.change(f)
			tree := registries.TreeOf(config.RKE2, f, m.noDefault)
			var out []string
			for _, ref := range references {
				if e := outside(t, tree, m.flavour, ref, inside); len(e) > 0 {
					out = append(out, ref)
				}
			}
			if (m.ref == "") != (len(out) == 0) || m.ref != "" && !slices.Contains(out, m.ref) {
				t.Errorf("%q get out, need %q among them", out, m.ref)
			}
			if err := c.Leaks(tree, m.flavour); registries.Leak.Is(err) != (m.ref != "") {
				t.Errorf("Leaks finds %v", err)
			}
		})
	}
}

func TestProve(t *testing.T) {
	c := site()
	data, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Prove(config.K3s, data, true); err != nil {
		t.Error(err)
	}
	if err := c.Prove(config.K3s, data, false); !registries.Leak.Is(err) {
		t.Errorf("have %v, need REGISTRIES-LEAK", err)
	}
	if err := c.Prove(config.K3s, []byte("mirrors: []"), true); !registries.Invalid.Is(err) {
		t.Errorf("have %v, need REGISTRIES-INVALID", err)
	}
}
