package k3sedge

import (
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/registries"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

// made are CAs, keys and tokens, made once, and valid now.
var made = sync.OnceValue(func() map[string]string {
	files, err := node.MakeSecrets(release.K3s, begin)
	if err != nil {
		panic(err)
	}
	out := map[string]string{}
	for _, f := range files {
		out[f.Path] = f.Data
	}
	return out
})

// api is an API server of canned answers, by path; without credentials it
// answers stranger.
type api struct {
	mu       sync.Mutex
	answers  map[string]string
	statuses map[string]int
	stranger int
}

func (a *api) set(path, body string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers[path] = body
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	path := r.URL.RequestURI()
	if r.TLS != nil && len(r.TLS.PeerCertificates) == 0 && a.stranger != 0 {
		w.WriteHeader(a.stranger)
		return
	}
	body, ok := a.answers[path]
	switch {
	case !ok:
		w.WriteHeader(http.StatusNotFound)
	case a.statuses[path] != 0:
		w.WriteHeader(a.statuses[path])
	}
	_, _ = io.WriteString(w, body)
}

// put writes a file of the tree with a mode.
func put(t *testing.T, root, path, text string, mode os.FileMode) {
	t.Helper()
	path = filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// lay writes what was rendered for a node, as Ignition would.
func lay(t *testing.T, in profiles.RenderInput) string {
	t.Helper()
	root := t.TempDir()
	for name, data := range treeOf(t, render(t, in)).files {
		var path string
		var mode uint32
		if _, err := fmt.Sscanf(name, "%s %o", &path, &mode); err != nil {
			t.Fatal(err)
		}
		put(t, root, path, data, os.FileMode(mode))
	}
	return root
}

// serve starts an API server and writes the kubeconfig that reaches it.
func serve(t *testing.T, root, conf string) *api {
	t.Helper()
	a := &api{answers: map[string]string{}, statuses: map[string]int{}}
	s := httptest.NewUnstartedServer(a)
	s.TLS = clientsMayShow()
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	put(t, root, "/x/ca.crt", string(ca), 0o600)
	put(t, root, "/x/client.crt", made()[node.Data(release.K3s)+"/server/tls/client-ca.crt"], 0o600)
	put(t, root, "/x/client.key", made()[node.Data(release.K3s)+"/server/tls/client-ca.key"], 0o600)
	put(t, root, conf, "clusters: [{cluster: {server: \""+s.URL+"\", certificate-authority: /x/ca.crt}}]\nusers: [{user: {client-certificate: /x/client.crt, client-key: /x/client.key}}]\n", 0o600)
	return a
}

// running is a node as K3s leaves it once it runs.
func running(t *testing.T, name string) (root string, a *api) {
	t.Helper()
	in := input(t, site(newest, ""), name)
	root = lay(t, in)
	all, err := host.Sysctls(false)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		put(t, root, "/proc/sys/"+strings.ReplaceAll(strings.ReplaceAll(s.Name, "*", "cni0"), ".", "/"), s.Value+"\n", 0o644)
	}
	put(t, root, "/proc/mounts", "/dev/sda4 /var ext4 rw,relatime 0 0\n", 0o644)
	put(t, root, "/sys/class/watchdog/watchdog0/state", "active\n", 0o644)
	put(t, root, imagesDir+"/k3s-airgap-images-amd64.tar.zst", "x", 0o600)
	file, err := registries.Parse([]byte(treeOf(t, render(t, in)).file(t, registries.Path(config.K3s))))
	if err != nil {
		t.Fatal(err)
	}
	for dir, data := range registries.TreeOf(config.K3s, file, true) {
		put(t, root, registries.CertsDir(config.K3s)+"/"+dir+"/hosts.toml", string(data), 0o600)
	}
	put(t, root, agentDir+"/client-ca.crt", made()[tlsDir+"/client-ca.crt"], 0o600)
	for _, f := range []string{"/kubelet.kubeconfig", "/kubeproxy.kubeconfig"} {
		put(t, root, agentDir+f, "x", 0o600)
	}
	if name == agent {
		return root, nil
	}
	for path, data := range made() {
		put(t, root, path, data, 0o600)
	}
	for _, f := range []string{"/admin.kubeconfig", "/scheduler.kubeconfig", "/controller.kubeconfig"} {
		put(t, root, credDir+f, "x", 0o600)
	}
	put(t, root, dataDir+"/server/token", "x", 0o600)
	put(t, root, encryptionFile, `{"resources":[{"resources":["secrets"],"providers":[{"aescbc":{}},{"identity":{}}]}]}`, 0o600)
	put(t, root, agentDir+"/etc/cni/net.d/10-flannel.conflist", "{}", 0o644)
	put(t, root, "/var/lib/cni/networks/cbr0/10.42.0.2", "x", 0o600)
	put(t, root, dataDir+"/server/db/etcd/member/snap/db", strings.Repeat("x", 1<<20-4)+"k8s:enc:aescbc:v1:", 0o600)
	put(t, root, auditLog, `{"kind":"Event","apiVersion":"audit.k8s.io/v1"}`+"\n"+`{"kind":`, 0o600)
	a = serve(t, root, node.AdminConf(release.K3s))
	a.stranger = http.StatusUnauthorized
	a.set("/api/v1/namespaces/default/pods?dryRun=All", `{"message":"pods is forbidden: violates PodSecurity \"restricted:latest\""}`)
	a.statuses["/api/v1/namespaces/default/pods?dryRun=All"] = http.StatusForbidden
	a.set("/api/v1/namespaces", `{"items":[{"metadata":{"name":"default"}},{"metadata":{"name":"kube-system"}},{"metadata":{"name":"kube-node-lease"}}]}`)
	a.set("/api/v1/serviceaccounts?fieldSelector=metadata.name%3Ddefault", `{"items":[{"automountServiceAccountToken":false}]}`)
	a.set("/apis/networking.k8s.io/v1/networkpolicies", `{"items":[{"metadata":{"namespace":"default"}},{"metadata":{"namespace":"kube-system"}}]}`)
	return root, a
}

// kubeletServes puts a kubelet on an address of the test's own.
func kubeletServes(t *testing.T, status int) {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(s.Close)
	open, closed := kubeletAddress, readOnlyAddress
	kubeletAddress, readOnlyAddress = s.Listener.Addr().String(), "127.0.0.1:1"
	t.Cleanup(func() { kubeletAddress, readOnlyAddress = open, closed })
}

// nodeName is the name that a live node has to itself.
func nodeName(t *testing.T) string {
	t.Helper()
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

const system = "/namespaces/kube-system/"

// cluster is a cluster that is ready.
func ready(t *testing.T, a *api) {
	t.Helper()
	dns := `{"metadata":{"name":"coredns","generation":1},"spec":{},"status":{"observedGeneration":1,"readyReplicas":1,"updatedReplicas":1}}`
	a.set("/readyz", "ok")
	a.set("/api/v1/nodes/"+nodeName(t), `{"status":{"conditions":[{"type":"Ready","status":"True"}]}}`)
	a.set("/api/v1"+system+"pods?fieldSelector=spec.nodeName%3D"+nodeName(t), `{"items":[]}`)
	a.set("/api/v1"+system+"pods?labelSelector=k8s-app%3Dkube-dns", `{"items":[{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}]}`)
	a.set("/apis/apps/v1"+system+"deployments/coredns", dns)
	a.set("/apis/apps/v1"+system+"deployments", `{"items":[{"metadata":{"name":"coredns"}}]}`)
	a.set("/apis/apps/v1"+system+"daemonsets", `{"items":[]}`)
	a.set("/apis/batch/v1"+system+"jobs", `{"items":[]}`)
}

// role is a node's in the roster.
func role(name string) string {
	if name == agent {
		return spec.Worker
	}
	return spec.ControlPlane
}
