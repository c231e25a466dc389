package kubeadm

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// standIn is a node that runs: its tree, and servers in the place of its services.
type standIn struct {
	root, role string
	ports      ports
	kubelet    int // its answer to a stranger
	api        apiStandIn
	apiServer  *httptest.Server
}

// ports says who listens where: what is not here is refused.
type ports map[string]net.Listener

func (p ports) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if l, ok := p[address]; ok {
		return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
	}
	return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}

func (n *standIn) profile() Profile { return Profile{root: n.root, dial: n.ports.dial} }

func (n *standIn) run(t *testing.T, id string) profiles.Result {
	t.Helper()
	for _, c := range n.profile().Checks(n.role, profiles.Newest) {
		if c.ID == id {
			return c.Run(context.Background(), n.root)
		}
	}
	t.Fatalf("no check %s for a %s", id, n.role)
	return profiles.Result{}
}

// apiStandIn answers as an API server does.
type apiStandIn struct {
	stranger      int // to a request without a certificate
	pod           int // to a privileged pod
	message       string
	secrets, node string
}

func (a *apiStandIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch uri := r.URL.RequestURI(); {
	case len(r.TLS.PeerCertificates) == 0:
		w.WriteHeader(a.stranger)
	case r.Method == http.MethodPost && uri == "/api/v1/namespaces/default/pods?dryRun=All":
		w.WriteHeader(a.pod)
		fmt.Fprintf(w, `{"kind":"Status","message":%q}`, a.message)
	case r.Method == http.MethodGet && uri == "/api/v1/secrets?limit=1":
		fmt.Fprint(w, a.secrets)
	case r.Method == http.MethodGet && uri == "/api/v1/nodes/ship-1":
		fmt.Fprint(w, a.node)
	default:
		http.NotFound(w, r)
	}
}

// serve starts an HTTPS server that asks for a certificate as auth says.
func serve(t *testing.T, h http.Handler, auth tls.ClientAuthType) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{ClientAuth: auth}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// credentials is a kubeconfig that reaches a server.
func credentials(t *testing.T, s *httptest.Server) []byte {
	t.Helper()
	keys := t.TempDir()
	newCA(t, keys)
	makeKeys(t, keysInput(keys)) // a client certificate as good as any
	b64 := base64.StdEncoding.EncodeToString
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters:
- name: demo
  cluster:
    server: %s
    certificate-authority-data: %s
users:
- name: admin
  user:
    client-certificate-data: %s
    client-key-data: %s
`, s.URL, b64(ca), b64(read(t, keys, servingCert)), b64(read(t, keys, servingKey)))
}

// set gives a file of the node another content for the time of a test, nil none.
func (n *standIn) set(t *testing.T, name string, data []byte) {
	t.Helper()
	before := read(t, n.root, name)
	t.Cleanup(func() { write(t, n.root, name, before) })
	if data != nil {
		write(t, n.root, name, data)
	} else if err := os.Remove(filepath.Join(n.root, name)); err != nil {
		t.Fatal(err)
	}
}

// put writes a file with its mode.
func put(t *testing.T, root, name string, data []byte, mode fs.FileMode) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, mode); err != nil {
		t.Fatal(err)
	}
}

// liveNode lays out what is rendered for the role, then what kubeadm leaves on
// such a node (testdata/node.txtar), and the kernel's settings as systemd-sysctl
// makes them. Nothing runs on it yet.
func liveNode(t *testing.T, role string) *standIn {
	t.Helper()
	n := &standIn{root: t.TempDir(), role: role}
	for _, f := range render(t, input(role)).Storage.Files {
		put(t, n.root, f.Path, content(t, f), fs.FileMode(*f.Mode))
		if strings.HasPrefix(f.Path, "/etc/sysctl.d/") {
			setKernel(t, n.root, string(content(t, f)))
		}
	}
	a, err := txtar.ParseFile("testdata/node.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range a.Files {
		var name string
		var mode fs.FileMode
		if _, err := fmt.Sscanf(f.Name, "%s %o", &name, &mode); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if role == spec.ControlPlane || slices.Contains([]string{"etc/kubernetes/kubelet.conf", "etc/kubernetes/pki/ca.crt", "var/lib/kubelet/kubeadm-flags.env"}, name) {
			put(t, n.root, name, f.Data, mode)
		}
		if role == spec.Worker && name == "var/lib/kubelet/config.yaml" {
			put(t, n.root, name, workerKubelet(t, n.root, f.Data), mode)
			put(t, n.root, approvedCert, nil, 0o600)
		}
	}
	if role == spec.ControlPlane {
		put(t, n.root, "var/log/kubernetes/audit/audit.log", []byte("{}\n"+`{"kind":"Event","apiVersion":"audit.k8s.io/v1"}`+"\n{\"kind\":"), 0o600)
		put(t, n.root, "var/lib/etcd/member/snap/db", []byte("\x00/registry/secrets/default/a\x00k8s:enc:aescbc:v1:node1:\x00"), 0o600)
		if err := os.Chmod(filepath.Join(n.root, "var/lib/etcd"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// start starts the services of a node, anew in each test.
func (n *standIn) start(t *testing.T) *standIn {
	t.Helper()
	n.ports, n.kubelet, n.api = ports{}, http.StatusUnauthorized, apiStandIn{
		stranger: http.StatusUnauthorized, pod: http.StatusForbidden, message: `pods "caisson-check" is forbidden: violates PodSecurity "baseline:latest": privileged`,
		secrets: `{"items":[{}]}`, node: `{"spec":{"podCIDR":"10.42.0.0/24"}}`,
	}
	n.ports["127.0.0.1:10250"] = serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n.kubelet) }), tls.RequestClientCert).Listener
	if n.role == spec.Worker {
		return n
	}
	n.apiServer = serve(t, &n.api, tls.RequestClientCert)
	put(t, n.root, adminConf, credentials(t, n.apiServer), 0o600)
	n.ports["127.0.0.1:10257"], n.ports["127.0.0.1:10259"] = listen(t), listen(t)
	etcd := serve(t, http.NotFoundHandler(), tls.RequireAndVerifyClientCert).Listener
	n.ports["127.0.0.1:2379"], n.ports["10.20.0.11:2379"] = etcd, etcd
	return n
}

// setKernel does what systemd-sysctl does with one file, on a machine with two
// network interfaces.
func setKernel(t *testing.T, root, file string) {
	t.Helper()
	for line := range strings.Lines(file) {
		f := strings.Fields(line)
		if len(f) != 3 || f[1] != "=" {
			continue
		}
		for _, link := range []string{"lo", "cni0"} {
			write(t, root, "proc/sys/"+strings.ReplaceAll(strings.ReplaceAll(f[0], ".", "/"), "*", link), []byte(f[2]+"\n"))
		}
	}
}

// workerKubelet is the kubelet's configuration on a worker: the cluster's, which
// is a control plane's without its patch, with the worker's own patch.
func workerKubelet(t *testing.T, root string, recorded []byte) []byte {
	t.Helper()
	parse := func(raw []byte) (m map[string]any) {
		if err := yaml.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	const patch = "etc/kubernetes/patches/kubeletconfiguration.yaml"
	theirs, err := tree.ReadFile("tree/control-plane/" + patch)
	if err != nil {
		t.Fatal(err)
	}
	config := parse(recorded)
	for key := range parse(theirs) {
		delete(config, key)
	}
	maps.Copy(config, parse(read(t, root, patch)))
	raw, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
