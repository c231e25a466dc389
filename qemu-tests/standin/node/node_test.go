package node

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"context"

	"caisson.dev/caisson/internal/standin"
	"caisson.dev/caisson/profiles/rancher/config"
)

// client speaks to a port that was asked for, with a certificate or without.
func (g *good) client(address, cert string) *http.Client {
	g.t.Helper()
	g.said.Lock()
	at := g.ports[address]
	g.said.Unlock()
	if at == "" {
		g.t.Fatalf("nobody listens on %s: have %v", address, g.ports)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(g.program.tls.pem)
	c := &tls.Config{RootCAs: pool}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(g.program.data(cert+".crt"), g.program.data(cert+".key"))
		if err != nil {
			g.t.Fatal(err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: c, DisableKeepAlives: true, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, at)
	}}}
}

func (g *good) get(address, cert, path string) (int, string) {
	g.t.Helper()
	resp, err := g.client(address, cert).Get("https://127.0.0.1:6443" + path)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestServer: both products come up on a good node, open what the documents say
// and write what checks of a node read; and they do so again after a restart.
func TestServer(t *testing.T) {
	for product, supervisor := range map[config.Product]string{config.RKE2: ":9345", config.K3s: ":6443"} {
		t.Run(string(product), func(t *testing.T) {
			g := newGood(t, product, true, "")
			ctx, stop := context.WithCancel(t.Context())
			ended := g.start(ctx)
			select {
			case err := <-ended:
				t.Fatalf("%v\n%s", err, g.output())
			case <-g.ready:
			}
			_, before := g.get(supervisor, "", "/cacerts")
			stop()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			g.up()
			if code, body := g.get(supervisor, "", "/ping"); code != 200 || body != "pong" {
				t.Errorf("/ping answers %d %q", code, body)
			}
			if _, after := g.get(supervisor, "", "/cacerts"); after != before || !strings.Contains(after, "BEGIN CERTIFICATE") {
				t.Error("the CA changed with a restart, or is none")
			}
			if code, _ := g.get(":6443", "", "/readyz"); code != 401 {
				t.Errorf("a stranger gets %d of the API", code)
			}
			if code, body := g.get(":6443", "server/tls/client-admin", "/readyz"); code != 200 || body != "ok" {
				t.Errorf("/readyz answers %d %q", code, body)
			}
			code, body := g.get(":6443", "server/tls/client-admin", "/api/v1/nodes/n1")
			var node struct {
				Metadata struct{ Labels, Annotations map[string]string }
				Status   struct {
					Conditions []struct{ Type, Status string }
				}
			}
			if err := json.Unmarshal([]byte(body), &node); err != nil || code != 200 || node.Status.Conditions[0].Status != "True" || node.Metadata.Labels["site"] != "a" || node.Metadata.Annotations["stand-in"] != standin.Mark {
				t.Errorf("%d %v: %s", code, err, body)
			}
			for path, want := range map[string]string{
				"/apis/apps/v1/namespaces/kube-system/deployments/coredns": `"readyReplicas":1`, "/apis/apps/v1/namespaces/kube-system/deployments": `"name":"coredns"`,
				"/apis/batch/v1/namespaces/kube-system/jobs": `"items":[]`, "/api/v1/nodes": `"name":"n1"`, "/api/v1/namespaces/kube-system/pods?x=y": `"k8s-app":"kube-dns"`,
			} {
				if code, body := g.get(":6443", "server/tls/client-admin", path); code != 200 || !strings.Contains(body, want) {
					t.Errorf("%s answers %d %s, need %s", path, code, body, want)
				}
			}
			if code, body := g.get(":6443", "server/tls/client-admin", "/api/v1/secrets"); code != 404 || !strings.Contains(body, "stand-in") {
				t.Errorf("%d %s", code, body)
			}
			if code, _ := g.get(":10250", "", "/pods"); code != 401 {
				t.Errorf("a stranger gets %d of the kubelet", code)
			}
			if code, text := g.get(":2379", "", "/health"); code != 0 || !strings.Contains(text, "tls") && !strings.Contains(text, "certificate") {
				t.Errorf("etcd's port answers %d %s to a stranger", code, text)
			}
			log, err := os.ReadFile(g.program.data("server/logs/audit.log"))
			if err != nil || !strings.Contains(string(log), `"stand-in":"true"`) {
				t.Errorf("the audit log: %v\n%s", err, log)
			}
		})
	}
}

// TestFilesOfRKE2 under its CIS profile.
func TestFilesOfRKE2(t *testing.T) {
	g := newGood(t, config.RKE2, true, "")
	g.up()
	for path, want := range map[string]struct {
		mode os.FileMode
		text []string
	}{
		"etc/rancher/rke2/rke2-pss.yaml":                                        {0o600, []string{standin.Mark, `enforce: "restricted"`}},
		"etc/rancher/rke2/rke2.yaml":                                            {0o600, []string{"https://127.0.0.1:6443"}},
		"var/lib/rancher/rke2/agent/pod-manifests/kube-scheduler.yaml":          {0o600, []string{"--profiling=false"}},
		"var/lib/rancher/rke2/agent/etc/containerd/certs.d/_default/hosts.toml": {0o600, []string{"127.0.0.1:5000"}},
		"var/lib/rancher/rke2/bin/STAND-IN":                                     {0, []string{standin.Mark}},
		"var/lib/rancher/rke2/server/db/etcd/config":                            {0o600, []string{"client-cert-auth: true"}},
		"var/lib/rancher/rke2/agent/pod-manifests/kube-apiserver.yaml": {0o600, []string{
			"--audit-log-maxage=40", "--audit-log-maxbackup=10", "--audit-policy-file=/etc/site/audit.yaml", "--anonymous-auth=false",
			"--service-account-extend-token-expiration=false", "--admission-control-config-file=/etc/rancher/rke2/rke2-pss.yaml"}},
	} {
		info, err := os.Stat(g.path(path))
		if err != nil || want.mode != 0 && info.Mode().Perm() != want.mode {
			t.Errorf("%s: %v, %v, need %v", path, info.Mode(), err, want.mode)
			continue
		}
		b, err := os.ReadFile(g.path(path))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range want.text {
			if !strings.Contains(string(b), text) {
				t.Errorf("%s has no %q:\n%s", path, text, b)
			}
		}
	}
	for _, want := range []string{"Checking local image archives", "Imported docker.io/rancher/rke2-runtime:v1.36.3-rke2r1", "rke2 is up and running"} {
		if !strings.Contains(g.output(), want) {
			t.Errorf("the output has no %q:\n%s", want, g.output())
		}
	}
}

// TestAgent joins a server that answers, and keeps trying one that has another CA.
func TestAgent(t *testing.T) {
	for product, supervisor := range map[config.Product]string{config.RKE2: ":9345", config.K3s: ":6443"} {
		t.Run(string(product), func(t *testing.T) {
			server := newGood(t, product, true, "")
			server.up()
			agent := newGood(t, product, false, "https://"+server.ports[supervisor])
			agent.remove("etc/passwd") // an agent needs no user etcd
			bundle, err := os.ReadFile(server.program.data("server/tls/server-ca.crt"))
			if err != nil {
				t.Fatal(err)
			}
			hash, err := caHash(bundle)
			if err != nil {
				t.Fatal(err)
			}
			agent.put("etc/site/token", "K10"+hash+"::node:secret")
			agent.up()
			if code, body := agent.get("127.0.0.1:6443", "agent/client-kubelet", "/api/v1/nodes/n1"); code != 200 || strings.Contains(body, "control-plane") {
				t.Errorf("%d %s", code, body)
			}
			other := newGood(t, product, false, "https://"+server.ports[supervisor])
			other.put("etc/site/token", "K10"+strings.Repeat("0", 64)+"::node:secret")
			ctx, stop := context.WithCancel(t.Context())
			ended := other.start(ctx)
			for !strings.Contains(other.output(), "Failed to validate connection to cluster at") {
				select {
				case err := <-ended:
					t.Fatalf("%v\n%s", err, other.output())
				default:
				}
			}
			stop()
			<-ended
			if !strings.Contains(other.output(), "token CA hash does not match") || len(other.ready) > 0 {
				t.Errorf("another CA is taken\n%s", other.output())
			}
		})
	}
}
