package rke2cis

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/registries"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

// secretFiles are CAs, keys and tokens, made once.
var secretFiles = sync.OnceValue(func() map[string]string {
	made, err := node.MakeSecrets(release.RKE2, time.Now())
	if err != nil {
		panic(err)
	}
	out := map[string]string{}
	for _, f := range made {
		out[f.Path] = f.Data
	}
	return out
})

// running is a node as RKE2 leaves it once it runs: flags of its static pods as
// its own sources and our config.yaml have them.
func running(t *testing.T, name string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can give files away")
	}
	root := prepared(t, newest, name).Root
	put := func(path, text string, mode os.FileMode) {
		write(t, root, path, text)
		if err := os.Chmod(filepath.Join(root, path), mode); err != nil {
			t.Fatal(err)
		}
	}
	cert := secretFiles()
	put(agent+"client-ca.crt", cert[server+"tls/client-ca.crt"], 0o644)
	for _, f := range []string{"kubelet.kubeconfig", "kubeproxy.kubeconfig"} {
		put(agent+f, "x", 0o600)
	}
	for _, f := range []string{"config.yaml", "registries.yaml"} {
		if err := os.Chmod(filepath.Join(root, "etc/rancher/rke2", f), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	reg, err := os.ReadFile(filepath.Join(root, registries.Path(config.RKE2)))
	if err != nil {
		t.Fatal(err)
	}
	file, err := registries.Parse(reg)
	if err != nil {
		t.Fatal(err)
	}
	for dir, data := range registries.TreeOf(config.RKE2, file, true) {
		put(registries.CertsDir(config.RKE2)+"/"+dir+"/hosts.toml", string(data), 0o600)
	}
	if name == worker {
		return root
	}
	for path, data := range cert {
		put(path, data, 0o600)
	}
	for _, f := range []string{"cred/admin.kubeconfig", "cred/scheduler.kubeconfig", "cred/controller.kubeconfig", "token"} {
		put(server+f, "x", 0o600)
	}
	put("/etc/rancher/rke2/rke2.yaml", cluster(t, nil), 0o600)
	put(server+"cred/encryption-config.json", `{"resources":[{"resources":["secrets"],"providers":[{"aescbc":{}},{"identity":{}}]}]}`, 0o600)
	put(etcdConfig, "client-transport-security: {cert-file: a, key-file: b, client-cert-auth: true}\npeer-transport-security: {cert-file: a, key-file: b, client-cert-auth: true}\n", 0o600)
	if err := os.Chmod(filepath.Join(root, server, "db/etcd"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(filepath.Join(root, server, "db/etcd"), etcdID, etcdID); err != nil {
		t.Fatal(err)
	}
	values := settings(t, treeOf(t, render(t, input(t, site(newest, "canal"), name))))
	for component, flags := range map[string]string{
		"etcd": "config-file=" + etcdConfig,
		"kube-apiserver": "anonymous-auth=false kubelet-client-certificate=a kubelet-client-key=b kubelet-certificate-authority=c authorization-mode=Node,RBAC profiling=false " +
			"audit-policy-file=" + fmt.Sprint(values["audit-policy-file"]) + " audit-log-path=a audit-log-maxage=30 audit-log-maxbackup=10 audit-log-maxsize=100 service-account-key-file=a " +
			"etcd-certfile=a etcd-keyfile=b etcd-cafile=c tls-cert-file=a tls-private-key-file=b client-ca-file=c encryption-provider-config=" + server + "cred/encryption-config.json " +
			"admission-control-config-file=" + fmt.Sprint(values["pod-security-admission-config-file"]) + " service-account-extend-token-expiration=false",
		"kube-controller-manager": "profiling=false use-service-account-credentials=true service-account-private-key-file=a root-ca-file=b bind-address=127.0.0.1",
		"kube-scheduler":          "profiling=false bind-address=127.0.0.1",
	} {
		args := strings.Fields(flags)
		more, _ := values[component+"-arg"].([]any)
		for _, a := range more {
			args = append(args, fmt.Sprint(a))
		}
		put(manifests+component+".yaml", "spec:\n  containers:\n  - command: ["+component+"]\n    args: [\"--"+strings.Join(args, `", "--`)+"\"]\n", 0o600)
	}
	return root
}

// profile is one whose node's services refuse strangers, and have no open port.
func profile(t *testing.T, status int, open bool) Profile {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(s.Close)
	return Profile{Here: New().Here, dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.HasSuffix(address, ":10255") && !open {
			return nil, syscall.ECONNREFUSED
		}
		return (&net.Dialer{}).DialContext(ctx, network, s.Listener.Addr().String())
	}}
}

// failed are the ids of the lines that did not pass.
func failed(t *testing.T, p Profile, role, root string) []string {
	t.Helper()
	var out []string
	seen := map[string]bool{}
	for _, c := range p.Checks(role, profiles.Newest) {
		if seen[c.ID] || c.Title == "" {
			t.Errorf("%s is there twice, or says nothing", c.ID)
		}
		seen[c.ID] = true
		if r := c.Run(context.Background(), root); r.Status == "fail" {
			out = append(out, c.ID)
		} else if r.Have == "" || r.Want == "" {
			t.Errorf("%s: %+v, need both values", c.ID, r)
		}
	}
	return out
}

func roleOf(name string) string {
	if name == worker {
		return spec.Worker
	}
	return spec.ControlPlane
}

func TestChecksPassOnAGoodNode(t *testing.T) {
	for _, name := range roles {
		if have := failed(t, profile(t, 401, false), roleOf(name), running(t, name)); len(have) > 0 {
			t.Errorf("%s: %v do not pass", name, have)
		}
	}
	if a, b := len(New().Checks(spec.ControlPlane, profiles.Newest)), len(New().Checks(spec.Worker, profiles.Newest)); a < 110 || b < 60 {
		t.Errorf("have %d and %d lines, need 110 and 60", a, b)
	}
}

// TestChecksSeeOneThing: each change to a good node fails the lines it concerns
// and no other.
func TestChecksSeeOneThing(t *testing.T) {
	edit := func(path, old, now string) func(root string) {
		return func(root string) {
			raw, err := os.ReadFile(filepath.Join(root, path))
			if err != nil || !strings.Contains(string(raw), old) {
				t.Fatalf("%s has no %q (%v)", path, old, err)
			}
			write(t, root, path, strings.Replace(string(raw), old, now, 1))
		}
	}
	mode := func(path string, mode os.FileMode) func(root string) {
		return func(root string) {
			if err := os.Chmod(filepath.Join(root, path), mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	own := func(path string) func(root string) {
		return func(root string) {
			if err := os.Lchown(filepath.Join(root, path), 1, 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	const api, conf, etc = manifests + "kube-apiserver.yaml", "/etc/rancher/rke2/config.yaml", "/etc/rancher/rke2/"
	for want, change := range map[string]func(root string){
		"1.1.1":  mode(api, 0o644),
		"1.1.8":  own(manifests + "etcd.yaml"),
		"1.1.11": mode(server+"db/etcd", 0o755),
		"1.1.12": own(server + "db/etcd"),
		"1.1.13": mode(etc+"rke2.yaml", 0o644),
		"1.1.19": own(server + "tls/server-ca.key"),
		"1.1.20": mode(server+"tls/etcd/peer-ca.crt", 0o666),
		"1.1.21": mode(server+"tls/etcd/peer-ca.key", 0o640),
		"1.2.1":  edit(api, "--anonymous-auth=false", "--anonymous-auth=true"),
		"1.2.3":  edit(api, ",DenyServiceExternalIPs", ""),
		"1.2.9":  edit(api, "EventRateLimit,", ""),
		"1.2.28": edit(server+"cred/encryption-config.json", `{"aescbc":{}},`, ""),
		"1.2.29": edit(api, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA"),
		"1.2.30": edit(api, "--service-account-extend-token-expiration=false", "--v=1"),
		"1.3.1":  edit(manifests+"kube-controller-manager.yaml", "--terminated-pod-gc-threshold=100", "--v=1"),
		"1.4.2":  edit(manifests+"kube-scheduler.yaml", "127.0.0.1", "0.0.0.0"),
		"2.2":    edit(etcdConfig, "client-cert-auth: true", "client-cert-auth: false"),
		"2.7":    func(root string) { copyFile(t, root, agent+"client-ca.crt", server+"tls/etcd/server-ca.crt") },
		"3.2.2":  func(root string) { write(t, root, etc+"audit-policy.yaml", "rules: [{level: None}]\n") },
		"4.1.5":  mode(agent+"kubelet.kubeconfig", 0o644),
		"4.1.8":  own(agent + "client-ca.crt"),
		"4.2.1":  edit(conf, "- seccomp-default=true", "- seccomp-default=true\n- anonymous-auth=true"),
		"4.2.5":  edit(conf, "streaming-connection-idle-timeout=5m", "streaming-connection-idle-timeout=0"),
		"4.2.7":  edit(conf, "node-name: ", "node-name: x"),
		"4.3.1": func(root string) {
			write(t, root, manifests+"kube-proxy.yaml", "spec: {containers: [{args: [--metrics-bind-address=0.0.0.0]}]}\n")
		},
		"4.2.13":                      edit(conf, "pod-max-pids=4096", "pod-max-pids=-1"),
		"4.2.14":                      edit(conf, "seccomp-default=true", "seccomp-default=false"),
		"C.3":                         mode(server+"token", 0o644),
		"C.4":                         mode(conf, 0o644),
		"C.7":                         func(root string) { write(t, root, registries.CertsDir(config.RKE2)+"/quay.io/x", "") },
		"C.2.kernel.panic":            func(root string) { write(t, root, "proc/sys/kernel/panic", "0\n") },
		"5.2.6 5.2.7 5.2.8 5.2.9 C.6": edit(etc+"pod-security.yaml", "enforce: restricted", "enforce: baseline"),
		"4.2.1 4.2.12 4.2.13": func(root string) {
			kubeletProcess(t, root, "--anonymous-auth=true", "--config-dir=/x", "--streaming-connection-idle-timeout=5m", "--seccomp-default=true", "--protect-kernel-defaults=true")
		},
	} {
		t.Run(want, func(t *testing.T) {
			root := running(t, first)
			change(root)
			if have := failed(t, profile(t, 401, false), spec.ControlPlane, root); !slices.Equal(have, strings.Fields(want)) {
				t.Errorf("%v do not pass, need %s alone", have, want)
			}
		})
	}
}

func copyFile(t *testing.T, root, from, to string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, from))
	if err != nil {
		t.Fatal(err)
	}
	write(t, root, to, string(raw))
}

func kubeletProcess(t *testing.T, root string, args ...string) {
	t.Helper()
	write(t, root, "proc/4711/comm", "kubelet\n")
	write(t, root, "proc/4711/cmdline", "kubelet\x00"+strings.Join(args, "\x00")+"\x00")
}

func TestChecksAskTheServices(t *testing.T) {
	root := running(t, first)
	for want, p := range map[string]Profile{"C.9 C.11": profile(t, 200, false), "C.10": profile(t, 403, true)} {
		if have := failed(t, p, spec.ControlPlane, root); !slices.Equal(have, strings.Fields(want)) {
			t.Errorf("%v do not pass, need %s", have, want)
		}
	}
}

func TestBenchmark(t *testing.T) {
	have := map[string]string{}
	for _, v := range append(versions, "v1.27.1+rke2r1", "v1.29.1+rke2r1", "v1.32.13+rke2r2", "v1.33.1+rke2r1") {
		have[v] = strings.Join(New().Benchmarks(v), " ")
	}
	want := map[string]string{"v1.27.1+rke2r1": "1.9", "v1.29.1+rke2r1": "1.11 1.10 1.9", versions[0]: "1.11 1.10", "v1.32.13+rke2r2": "1.11", "v1.33.1+rke2r1": "1.12", versions[1]: "2.0 1.12", newest: "2.0 1.12"}
	if !maps.Equal(have, want) {
		t.Errorf("have %v, need %v", have, want)
	}
	if s, a := New().Unit(spec.ControlPlane), New().Unit(spec.Worker); s != "rke2-server.service" || a != "rke2-agent.service" {
		t.Errorf("units are %s and %s", s, a)
	}
	var _ profiles.Profile = New()
}
