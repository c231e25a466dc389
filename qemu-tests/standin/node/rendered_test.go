package node

import (
	"context"
	"fmt"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	ignition "github.com/coreos/ignition/v2/config/v3_5/types"
	"github.com/vincent-petithory/dataurl"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/catalog"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/qemu-tests/standin/folder"
	"caisson.dev/caisson/spec"
)

// The roster of the rendered nodes.
const (
	server = "cp-1"
	agent  = "w-1"
)

var profileOf = map[config.Product]string{config.RKE2: spec.ProfileRKE2, config.K3s: spec.ProfileK3s}

// site is an enclave of one server and one worker.
func site(product config.Product) spec.Enclave {
	e := spec.Enclave{
		APIVersion: spec.APIVersion, Kind: spec.KindEnclave, Metadata: spec.Metadata{Name: "site"},
		Kubernetes: spec.Kubernetes{Profile: profileOf[product], Version: versions[product]},
		Registry:   spec.Registry{Engine: spec.EngineZot, Binary: &spec.FileSource{Path: "zot"}},
		Network:    spec.Network{DNS: []string{"10.20.0.2"}}, Secrets: spec.Secrets{Sealed: "secrets.age"},
	}
	for i, name := range []string{server, agent} {
		e.Nodes = append(e.Nodes, spec.Node{Name: name, Role: []string{spec.ControlPlane, spec.Worker}[i], Network: spec.NodeNetwork{
			Interface: "enp1s0", Address: fmt.Sprintf("10.20.0.1%d/24", i+1), Gateway: "10.20.0.1"}})
	}
	spec.Default(&e)
	return e
}

// newRendered is a node as the profile itself renders it, in a tree: what the
// installer would lay down, on a kernel with its own defaults and a Debian that
// knows root alone. A profile that this version has not is skipped.
func newRendered(t *testing.T, product config.Product, name string, secrets map[string]string) *good {
	t.Helper()
	p, err := catalog.Get(profileOf[product])
	if catalog.ProfileUnknown.Is(err) {
		t.Skipf("%v", err)
	}
	e := site(product)
	a, err := spec.Complete(e, spec.Answers{APIVersion: spec.APIVersion, Kind: "Answers", Node: name})
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.Render(profiles.RenderInput{Enclave: e, Answers: a, Manifest: bundle.Manifest{Images: []bundle.ImageEntry{{Ref: "docker.io/library/whoami:1"}}},
		Registry: images.Service{Engine: "zot", Address: "127.0.0.1:5000", Unit: "caisson-registry.service"}})
	if err != nil {
		t.Fatal(err)
	}
	g := newGood(t, product, name == server, "")
	g.remove("")
	for file, text := range map[string]string{
		"etc/passwd": "root:x:0:0::/root:/bin/sh\n", "etc/group": "root:x:0:\n", "proc/net/route": "Iface\n", "proc/net/ipv6_route": "",
		"proc/sys/vm/overcommit_memory": "0", "proc/sys/vm/panic_on_oom": "0", "proc/sys/kernel/panic": "0", "proc/sys/kernel/panic_on_oops": "0",
		"proc/sys/kernel/keys/root_maxkeys": "1000000", "proc/sys/kernel/keys/root_maxbytes": "25000000",
	} {
		g.put(file, text)
	}
	g.lay(c)
	if m, ok := p.(profiles.SecretMaker); ok && len(secrets) == 0 {
		made, err := m.MakeSecrets(e, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range made {
			secrets[f.Path] = f.Data
		}
	}
	for file, text := range secrets {
		g.put(file, text)
	}
	v, err := release.Parse(release.Product(product), versions[product])
	if err != nil {
		t.Fatal(err)
	}
	payload, err := p.Payload(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range payload {
		if strings.HasSuffix(f.Path, ".tar.zst") {
			data, err := folder.Archive(path.Base(f.Path), v, "amd64")
			if err != nil {
				t.Fatal(err)
			}
			g.put(f.Path, string(data))
		}
	}
	return g
}

// lay puts down what Ignition would.
func (g *good) lay(c ignition.Config) {
	g.t.Helper()
	for _, d := range c.Storage.Directories {
		if err := os.MkdirAll(g.path(d.Path), 0o700); err != nil {
			g.t.Fatal(err)
		}
	}
	for _, f := range c.Storage.Files {
		u, err := dataurl.DecodeString(*f.Contents.Source)
		if err != nil {
			g.t.Fatal(err)
		}
		g.put(f.Path, string(u.Data))
	}
	for _, group := range c.Passwd.Groups {
		g.put("etc/group", g.text("etc/group")+fmt.Sprintf("%s:x:%d:\n", group.Name, *group.Gid))
	}
	for _, u := range c.Passwd.Users {
		if u.UID != nil {
			g.put("etc/passwd", g.text("etc/passwd")+fmt.Sprintf("%s:x:%d:%d::/:/usr/sbin/nologin\n", u.Name, *u.UID, *u.UID))
		}
	}
	if g.any("etc/systemd/network", "Gateway=") || g.any("etc/systemd/network", "Destination=0.0.0.0/0") {
		g.put("proc/net/route", host["proc/net/route"])
	}
}

func (g *good) text(name string) string {
	b, err := os.ReadFile(g.path(name))
	if err != nil {
		g.t.Fatal(err)
	}
	return string(b)
}

// files are those of a folder, in the order of their names, all levels.
func (g *good) files(dir string) []string {
	var out []string
	_ = filepath.WalkDir(g.path(dir), func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(g.root, p)
			out = append(out, rel)
		}
		return nil
	})
	return out
}

func (g *good) any(dir, text string) bool {
	return slices.ContainsFunc(g.files(dir), func(f string) bool { return strings.Contains(g.text(f), text) })
}

// boot does what systemd-sysctl does with the node's files; the last one counts.
func (g *good) boot() {
	for _, f := range g.files("etc/sysctl.d") {
		for line := range strings.Lines(g.text(f)) {
			name, value, ok := strings.Cut(line, "=")
			name = strings.TrimSpace(name)
			if ok && name != "" && name[0] != '#' && !strings.Contains(name, "*") {
				g.put("proc/sys/"+strings.ReplaceAll(strings.TrimPrefix(name, "-"), ".", "/"), strings.TrimSpace(value)+"\n")
			}
		}
	}
}

// without takes each line with the text out of the files of a folder.
func (g *good) without(dir, text string) {
	g.t.Helper()
	found := false
	for _, f := range g.files(dir) {
		lines := slices.Collect(strings.Lines(g.text(f)))
		kept := slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.Contains(l, text) })
		found = found || len(kept) < len(lines)
		g.put(f, strings.Join(kept, ""))
	}
	if !found {
		g.t.Fatalf("nothing in %s has %q: the mutation changes nothing", dir, text)
	}
}

// TestRenderedNodes: what the profiles render is a node that both programs come
// up on, strictly; the worker joins the server with the secrets of one cluster.
func TestRenderedNodes(t *testing.T) {
	for product, supervisor := range map[config.Product]string{config.RKE2: ":9345", config.K3s: ":6443"} {
		t.Run(string(product), func(t *testing.T) {
			secrets := map[string]string{}
			s := newRendered(t, product, server, secrets)
			s.boot()
			s.up()
			w := newRendered(t, product, agent, secrets)
			w.program.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				if address != "10.20.0.11"+supervisor {
					return nil, fmt.Errorf("nobody is at %s", address)
				}
				return (&net.Dialer{}).DialContext(ctx, network, s.ports[supervisor])
			}
			w.boot()
			w.up()
		})
	}
}

// TestRenderedMutations takes one thing away from what a profile renders.
func TestRenderedMutations(t *testing.T) {
	const registries, images = "registries.yaml", "agent/images"
	for _, m := range []struct {
		what    string
		product config.Product
		change  func(g *good, etc, data string)
		words   string
	}{
		{"a sysctl", "rke2", func(g *good, _, _ string) { g.without("etc/sysctl.d", "vm.overcommit_memory") }, "invalid kernel parameter value vm.overcommit_memory=0 - expected 1"},
		{"a sysctl", "k3s", func(g *good, _, _ string) { g.without("etc/sysctl.d", "kernel.panic_on_oops") }, "kernel.panic_on_oops is 0, expected 1"},
		{"the user etcd", "rke2", func(g *good, _, _ string) { g.without("etc/passwd", "etcd:") }, "unknown user etcd"},
		{"the group etcd", "rke2", func(g *good, _, _ string) { g.without("etc/group", "etcd:") }, "unknown group etcd"},
		{"a file", "rke2", func(g *good, etc, _ string) { g.remove(etc + registries) }, "have no registries.yaml"},
		{"a file", "k3s", func(g *good, etc, _ string) { g.remove(etc + registries) }, "have no registries.yaml"},
		{"a key", "rke2", func(g *good, etc, _ string) { g.without(etc+"config.yaml", "disable-default-registry-endpoint") }, "images of docker.io would be asked for at"},
		{"a key", "k3s", func(g *good, etc, _ string) { g.without(etc+"config.yaml", "disable-default-registry-endpoint") }, "would be asked for at"},
		{"the archives", "rke2", func(g *good, _, data string) { g.remove(data + images) }, "the runtime image is in no archive"},
		{"the archives", "k3s", func(g *good, _, data string) { g.remove(data + images) }, "have no image archive"},
		{"the route", "rke2", func(g *good, _, _ string) { g.put("proc/net/route", "Iface\n") }, "no default routes found"},
		{"the resolver", "k3s", func(g *good, etc, _ string) { g.remove(etc + "resolv.conf") }, "resolv.conf"},
	} {
		t.Run(m.what+" of "+string(m.product), func(t *testing.T) {
			g := newRendered(t, m.product, server, map[string]string{})
			m.change(g, "etc/rancher/"+string(m.product)+"/", "var/lib/rancher/"+string(m.product)+"/")
			g.boot()
			select {
			case err := <-g.start(t.Context()):
				if err == nil || !strings.Contains(err.Error(), m.words) {
					t.Errorf("have %v, need %q", err, m.words)
				}
			case <-g.ready:
				t.Errorf("it came up; need %q\n%s", m.words, g.output())
			}
			g.voice()
		})
	}
}
