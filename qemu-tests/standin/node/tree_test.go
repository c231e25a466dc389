package node

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/registries"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/qemu-tests/standin/folder"
)

var versions = map[config.Product]string{config.RKE2: "v1.36.3+rke2r1", config.K3s: "v1.36.2+k3s1"}

// host is what every good node has, by path.
var host = map[string]string{
	"etc/passwd":                        "root:x:0:0::/root:/bin/sh\netcd:x:52034:52034::/:/usr/sbin/nologin\n",
	"etc/group":                         "root:x:0:\netcd:x:52034:\n",
	"etc/site/resolv.conf":              "nameserver 10.20.0.1\n",
	"etc/site/token":                    "a-token-of-the-site\n",
	"proc/sys/vm/overcommit_memory":     "1\n",
	"proc/sys/vm/panic_on_oom":          "0\n",
	"proc/sys/kernel/panic":             "10\n",
	"proc/sys/kernel/panic_on_oops":     "1\n",
	"proc/sys/kernel/keys/root_maxkeys": "1000000\n", "proc/sys/kernel/keys/root_maxbytes": "25000000\n",
	"proc/net/route":      "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t0100140A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
	"proc/net/ipv6_route": "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n",
	"etc/site/audit.yaml": "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n",
	"etc/site/psa.yaml":   "kind: AdmissionConfiguration\n",
}

// good is a node as the two want it: what an installer has to lay down, in
// a tree of its own, for a product and a role.
type good struct {
	t       *testing.T
	root    string
	program *Program
	out     bytes.Buffer
	said    sync.Mutex
	ports   map[string]string // asked for -> opened
	ready   chan string
}

func (g *good) Write(b []byte) (int, error) {
	g.said.Lock()
	defer g.said.Unlock()
	return g.out.Write(b)
}

func (g *good) output() string {
	g.said.Lock()
	defer g.said.Unlock()
	return g.out.String()
}

func newGood(t *testing.T, product config.Product, server bool, join string) *good {
	t.Helper()
	g := &good{t: t, root: t.TempDir(), ports: map[string]string{}, ready: make(chan string, 1)}
	g.program = &Program{Product: product, Server: server, Version: versions[product], Root: g.root, Out: g, TokenWait: 50 * time.Millisecond,
		Listen: func(address string) (net.Listener, error) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err == nil {
				g.said.Lock()
				g.ports[address] = l.Addr().String()
				g.said.Unlock()
			}
			return l, err
		},
		Notify: func(state string) error { g.ready <- state; return nil }}
	for path, text := range host {
		g.put(path, text)
	}
	g.put("etc/rancher/"+string(product)+"/config.yaml", g.config(join))
	c := registries.Config{Mirrors: []registries.Mirror{{Mirror: images.Mirror{Base: "http://127.0.0.1:5000"}}}, Hosts: []string{"docker.io"}}
	text, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	g.put("etc/rancher/"+string(product)+"/registries.yaml", string(text))
	v, err := release.Parse(release.Product(product), versions[product])
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"rke2-images-core.linux-amd64.tar.zst", "rke2-images-canal.linux-amd64.tar.zst"}
	if product == config.K3s {
		names = []string{"k3s-airgap-images-amd64.tar.zst"}
		g.put("var/lib/rancher/k3s/server/logs/.keep", "")
	}
	for _, n := range names {
		data, err := folder.Archive(n, v, "amd64")
		if err != nil {
			t.Fatal(err)
		}
		g.put("var/lib/rancher/"+string(product)+"/agent/images/"+n, string(data))
	}
	return g
}

// config is config.yaml by the very builder that the profiles use.
func (g *good) config(join string) string {
	p := g.program
	role := config.First
	if !p.Server {
		role = config.Agent
	}
	b := config.New(config.Target{Product: p.Product, Role: role, Version: p.Version}).String("server", join).
		String("token-file", "/etc/site/token").String("node-name", "n1").String("resolv-conf", "/etc/site/resolv.conf").
		Bool("disable-default-registry-endpoint", true).Bool("protect-kernel-defaults", true).List("node-label", "site=a")
	if p.Product == config.RKE2 {
		b.String("profile", "cis")
	}
	switch {
	case p.Server && p.Product == config.RKE2:
		b.String("audit-policy-file", "/etc/site/audit.yaml").List("kube-apiserver-arg", "audit-log-maxage=40").List("cni", "canal")
	case p.Server:
		b.Bool("cluster-init", true).Bool("secrets-encryption", true).List("kube-apiserver-arg", "audit-policy-file=/etc/site/audit.yaml",
			"audit-log-path=/var/lib/rancher/k3s/server/logs/audit.log", "admission-control-config-file=/etc/site/psa.yaml")
	}
	text, err := b.File()
	if err != nil {
		g.t.Fatal(err)
	}
	return string(text)
}

func (g *good) path(name string) string { return filepath.Join(g.root, name) }

func (g *good) put(name, text string) {
	g.t.Helper()
	if err := put(g.path(name), []byte(text), 0o644); err != nil {
		g.t.Fatal(err)
	}
}

func (g *good) remove(name string) {
	g.t.Helper()
	if err := os.RemoveAll(g.path(name)); err != nil {
		g.t.Fatal(err)
	}
}

// replace changes text in a file; the text must be there.
func (g *good) replace(name, old, text string) {
	g.t.Helper()
	b, err := os.ReadFile(g.path(name))
	if err != nil {
		g.t.Fatal(err)
	}
	if !strings.Contains(string(b), old) {
		g.t.Fatalf("%s has no %q:\n%s", name, old, b)
	}
	g.put(name, strings.Replace(string(b), old, text, 1))
}

// up runs it until it is ready; it ends with the test.
func (g *good) up() {
	g.t.Helper()
	ended := g.start(g.t.Context())
	select {
	case err := <-ended:
		g.t.Fatalf("it ended: %v\n%s", err, g.output())
	case state := <-g.ready:
		if state != "READY=1" {
			g.t.Errorf("systemd was told %q", state)
		}
	case <-time.After(time.Minute):
		g.t.Fatalf("not ready after a minute\n%s", g.output())
	}
	g.voice()
}

func (g *good) start(ctx context.Context) chan error {
	ended := make(chan error, 1)
	go func() { ended <- g.program.Run(ctx) }()
	return ended
}

// voice: each line says what it is, and none that anything is pulled.
func (g *good) voice() {
	g.t.Helper()
	for line := range strings.Lines(g.output()) {
		if !strings.HasPrefix(line, "stand-in ") || strings.Contains(line, "Pulling") {
			g.t.Errorf("a line of the output: %s", line)
		}
	}
}
