package node_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"caisson.dev/caisson/profiles/cluster"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/secrets"
)

// api is an API server of canned answers.
type api struct {
	mu      sync.Mutex
	answers map[string]string
}

func (a *api) set(path, body string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers[path] = body
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if body, ok := a.answers[r.URL.RequestURI()]; ok {
		fmt.Fprint(w, body)
		return
	}
	http.NotFound(w, r)
}

func put(t *testing.T, root, path, text string) {
	t.Helper()
	path = filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// start serves a cluster; its kubeconfig names files, as the product's own does.
func start(t *testing.T, root, conf string) *api {
	t.Helper()
	a := &api{answers: map[string]string{}}
	s := httptest.NewTLSServer(a)
	t.Cleanup(s.Close)
	cert, key, err := secrets.NewAuthority("client", nil, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	put(t, root, "ca.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	put(t, root, "c.crt", cert)
	put(t, root, "c.key", key)
	put(t, root, conf, fmt.Sprintf("clusters: [{cluster: {server: %q, certificate-authority: /ca.crt}}]\nusers: [{user: {client-certificate: /c.crt, client-key: /c.key}}]\n", s.URL))
	return a
}

const (
	nodePath = "/api/v1/nodes/cp-1"
	ownPods  = "/api/v1/namespaces/kube-system/pods?fieldSelector=spec.nodeName%3Dcp-1"
	dnsPods  = "/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns"
	isReady  = `"conditions":[{"type":"Ready","status":"True"}]`
)

// TestReady goes through all that a server waits for, in order.
func TestReady(t *testing.T) {
	root := t.TempDir()
	put(t, root, "etc/systemd/system/rke2-server.service.d/10-caisson.conf", "")
	l := &node.Live{Root: root, Product: release.RKE2, Node: "cp-1", Parts: []string{"etcd", "kube-apiserver"}}
	waits := func(want string) {
		t.Helper()
		ctx, cancel := context.WithCancel(context.Background())
		err := l.Ready(ctx, func(string) { cancel() })
		cancel()
		if !cluster.NodeNotReady.Is(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("have %v, need NODE-NOT-READY with %q", err, want)
		}
	}
	waits("rke2-server.service to write /etc/rancher/rke2/rke2.yaml")
	a := start(t, root, "etc/rancher/rke2/rke2.yaml")
	waits("the API server")
	a.set("/readyz", "ok")
	waits("node cp-1")
	a.set(nodePath, `{"status":{"conditions":[{"type":"Ready","status":"False","message":"cni plugin not initialized"}]}}`)
	waits("cni plugin not initialized")
	a.set(nodePath, `{"status":{`+isReady+`}}`)
	waits("the list of pods")
	a.set(ownPods, `{"items":[{"metadata":{"name":"etcd-cp-1","labels":{"component":"etcd"}},"status":{"phase":"Running",`+isReady+`}}]}`)
	waits("pod kube-apiserver (not there yet)")
	a.set(ownPods, `{"items":[{"metadata":{"labels":{"component":"etcd"}},"status":{`+isReady+`}},{"metadata":{"labels":{"component":"kube-apiserver"}},"status":{`+isReady+`}},
		{"metadata":{"name":"helm-install-x"},"status":{"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"ImagePullBackOff"}}}]}}]}`)
	waits("pod helm-install-x (ImagePullBackOff)")
	a.set(ownPods, `{"items":[{"metadata":{"labels":{"component":"etcd"}},"status":{`+isReady+`}},{"metadata":{"labels":{"component":"kube-apiserver"}},"status":{`+isReady+`}},
		{"metadata":{"name":"helm-install-x"},"status":{"phase":"Succeeded"}}]}`)
	a.set(dnsPods, `{"items":[]}`)
	waits("the cluster's DNS")
	a.set(dnsPods, `{"items":[{"status":{`+isReady+`}}]}`)
	if err := l.Ready(context.Background(), func(string) {}); err != nil {
		t.Error(err)
	}
}

// TestReadyAgent: an agent asks for its own node with its kubelet's credentials.
func TestReadyAgent(t *testing.T) {
	root := t.TempDir()
	put(t, root, "etc/systemd/system/k3s-agent.service.d/10-caisson.conf", "")
	a := start(t, root, "var/lib/rancher/k3s/agent/kubelet.kubeconfig")
	a.set(nodePath, `{"status":{`+isReady+`}}`)
	l := &node.Live{Root: root, Product: release.K3s, Node: "cp-1"}
	if err := l.Ready(context.Background(), func(string) {}); err != nil {
		t.Error(err)
	}
	if words, ready := l.Membership(t.Context()); !ready || words != "the control plane answers and calls this node Ready" {
		t.Errorf("have %q, %v", words, ready)
	}
	put(t, root, "m/a.yaml", "kind: Pod\nmetadata: {name: x}\n")
	if err := l.ApplyManifests(t.Context(), "m", func(string) {}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(root, "var/lib/rancher/k3s/server")); err == nil {
		t.Error("an agent has manifests")
	}
}
