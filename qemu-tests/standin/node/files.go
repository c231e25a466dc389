package node

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"caisson.dev/caisson/internal/standin"
)

// note is the head of every text file that is written.
const note = "# " + standin.Mark + "\n"

// writeFiles writes what the real programs write and checks of a node read: the
// certificates, kubeconfigs, static pods and policies.
func (p *Program) writeFiles(ctx context.Context) error {
	if !p.Server {
		return p.join(ctx)
	}
	if err := errors.Join(p.writeAuthorities(), p.writePolicies()); err != nil {
		return err
	}
	if err := p.writeKubeconfigs(); err != nil {
		return err
	}
	if p.Product == "rke2" {
		if err := p.writeStaticPods(); err != nil {
			return err
		}
	}
	return p.ownEtcd()
}

func (p *Program) nodeName() string {
	host, _ := os.Hostname() // an empty name is seen by whoever asks for the node
	return strings.ToLower(p.keys.text("node-name", host))
}

// writeAuthorities takes or makes the CAs, and issues what hangs on them.
func (p *Program) writeAuthorities() error {
	made := map[string]*authority{}
	for _, name := range []string{"server-ca", "client-ca", "request-header-ca", "etcd/server-ca", "etcd/peer-ca"} {
		a, err := p.ca(p.data("server/tls", name))
		if err != nil {
			return err
		}
		made[name] = a
	}
	p.tls = made["server-ca"]
	own := append([]string{"127.0.0.1", "::1", "localhost", "kubernetes", p.nodeName()}, p.keys.list("node-ip")...)
	own = append(own, p.keys.list("tls-san")...)
	for _, c := range []struct {
		path, ca, name string
		groups         []string
	}{
		{"server/tls/serving-kube-apiserver", "server-ca", "kube-apiserver", nil},
		{"server/tls/client-kube-apiserver", "client-ca", "system:apiserver", []string{"system:masters"}},
		{"server/tls/client-admin", "client-ca", "system:admin", []string{"system:masters"}},
		{"server/tls/client-controller", "client-ca", "system:kube-controller-manager", nil},
		{"server/tls/client-scheduler", "client-ca", "system:kube-scheduler", nil},
		{"server/tls/client-auth-proxy", "request-header-ca", "system:auth-proxy", nil},
		{"server/tls/etcd/server-client", "etcd/server-ca", "etcd-server", nil},
		{"server/tls/etcd/client", "etcd/server-ca", "etcd-client", nil},
		{"server/tls/etcd/peer-server-client", "etcd/peer-ca", "etcd-peer", nil},
		{"agent/serving-kubelet", "server-ca", p.nodeName(), nil},
		{"agent/client-kubelet", "client-ca", "system:node:" + p.nodeName(), []string{"system:nodes"}},
		{"agent/client-kube-proxy", "client-ca", "system:kube-proxy", nil},
	} {
		issued, err := made[c.ca].issue(c.name, c.groups, own)
		if err != nil {
			return err
		}
		if err := errors.Join(put(p.data(c.path+".crt"), issued.cert, 0o644), put(p.data(c.path+".key"), issued.key, 0o600)); err != nil {
			return err
		}
	}
	for _, name := range []string{"client-ca.crt", "server-ca.crt"} {
		if err := put(p.data("agent", name), made[strings.TrimSuffix(name, ".crt")].pem, 0o644); err != nil {
			return err
		}
	}
	for _, name := range []string{"service.key", "service.current.key"} { // an RSA key there, which nothing reads here
		if _, err := os.Stat(p.data("server/tls", name)); errors.Is(err, fs.ErrNotExist) {
			if err := put(p.data("server/tls", name), []byte(note), 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// pss is RKE2's Pod Security configuration, written anew at each start.
const pss = `apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1beta1
    kind: PodSecurityConfiguration
    defaults:
      enforce: "LEVEL"
      enforce-version: "latest"
      audit: "LEVEL"
      audit-version: "latest"
      warn: "LEVEL"
      warn-version: "latest"
    exemptions:
      usernames: []
      runtimeClasses: []
      namespaces: [kube-system, tigera-operator, compliance-operator-system]
`

// logsNothing is RKE2's audit policy where there is none: it logs nothing.
const logsNothing = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: None\n"

// writePolicies: the files that the API server would be pointed at must be there.
func (p *Program) writePolicies() error {
	api := p.apiServer()
	level := "privileged"
	if p.cis() {
		level = "restricted"
	}
	if p.Product == "rke2" && p.keys.text("pod-security-admission-config-file", "") == "" {
		if err := put(p.etc("rke2-pss.yaml"), []byte(note+strings.ReplaceAll(pss, "LEVEL", level)), 0o600); err != nil {
			return err
		}
	}
	if p.Product == "rke2" && api["audit-policy-file"] == "/etc/rancher/rke2/audit-policy.yaml" {
		if _, err := os.Stat(p.etc("audit-policy.yaml")); errors.Is(err, fs.ErrNotExist) {
			if err := put(p.etc("audit-policy.yaml"), []byte(note+logsNothing), 0o600); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{"admission-control-config-file", "audit-policy-file"} {
		if file := api[name]; file != "" {
			if _, err := os.Stat(p.path(file)); err != nil {
				return fmt.Errorf("kube-apiserver exited: --%s: %w", name, err)
			}
		}
	}
	if log := api["audit-log-path"]; log != "" {
		// RKE2 makes the folder; for K3s the installer must have.
		if p.Product == "rke2" {
			if err := os.MkdirAll(filepath.Dir(p.path(log)), 0o700); err != nil {
				return err
			}
		}
		if _, err := os.Stat(filepath.Dir(p.path(log))); err != nil {
			return fmt.Errorf("kube-apiserver exited: --audit-log-path: %w", err)
		}
	}
	token, err := p.token(context.Background())
	if err != nil {
		return err
	}
	return errors.Join(
		put(p.data("server/cred/encryption-config.json"), []byte(`{"kind":"EncryptionConfiguration","apiVersion":"apiserver.config.k8s.io/v1","resources":[{"resources":["secrets"],"providers":[{"aescbc":{"keys":[]}},{"identity":{}}]}]}`), 0o600),
		put(p.data("server/token"), []byte(token+"\n"), 0o600), put(p.data("server/node-token"), []byte(token+"\n"), 0o600), put(p.data("server/agent-token"), []byte(token+"\n"), 0o600))
}

func (p *Program) writeKubeconfigs() error {
	mode, err := strconv.ParseUint(p.keys.text("write-kubeconfig-mode", "0600"), 8, 32)
	if err != nil {
		return fmt.Errorf("invalid write-kubeconfig-mode: %w", err)
	}
	admin := p.keys.text("write-kubeconfig", "/etc/rancher/"+string(p.Product)+"/"+string(p.Product)+".yaml")
	for _, k := range []struct {
		path, client string
		mode         fs.FileMode
	}{
		{p.path(admin), "server/tls/client-admin", fs.FileMode(mode)},
		{p.data("server/cred/admin.kubeconfig"), "server/tls/client-admin", 0o600},
		{p.data("server/cred/controller.kubeconfig"), "server/tls/client-controller", 0o600},
		{p.data("server/cred/scheduler.kubeconfig"), "server/tls/client-scheduler", 0o600},
		{p.data("agent/kubelet.kubeconfig"), "agent/client-kubelet", 0o600},
		{p.data("agent/kubeproxy.kubeconfig"), "agent/client-kube-proxy", 0o600},
	} {
		if err := p.writeKubeconfig(k.path, p.data(k.client), k.mode); err != nil {
			return err
		}
	}
	return nil
}

func (p *Program) writeKubeconfig(path, client string, mode fs.FileMode) error {
	crt, err1 := os.ReadFile(client + ".crt")
	key, err2 := os.ReadFile(client + ".key")
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	b64 := base64.StdEncoding.EncodeToString
	return put(path, fmt.Appendf(nil, note+`apiVersion: v1
kind: Config
clusters:
- name: default
  cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: %s}
users:
- name: default
  user: {client-certificate-data: %s, client-key-data: %s}
contexts:
- name: default
  context: {cluster: default, user: default}
current-context: default
`, b64(p.tls.pem), b64(crt), b64(key)), mode)
}

// writeStaticPods writes RKE2's six manifests; 0600 under cis.
func (p *Program) writeStaticPods() error {
	mode := fs.FileMode(0o644)
	if p.cis() {
		mode = 0o600
	}
	for name, f := range p.staticPods() {
		var b strings.Builder
		fmt.Fprintf(&b, note+"apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\n  namespace: kube-system\n  labels: {component: %s, tier: control-plane}\nspec:\n  hostNetwork: true\n  containers:\n  - name: %s\n    command: [%s]\n    args:\n", name, name, name, name)
		for _, a := range f.args() {
			fmt.Fprintf(&b, "    - %q\n", a)
		}
		if err := put(p.data("agent/pod-manifests", name+".yaml"), []byte(b.String()), mode); err != nil {
			return err
		}
	}
	tls := p.dataDir() + "/server/tls/etcd/"
	return put(p.data("server/db/etcd/config"), []byte(note+"name: "+p.nodeName()+`
data-dir: `+p.dataDir()+`/server/db/etcd
client-transport-security: {client-cert-auth: true, cert-file: `+tls+`server-client.crt, key-file: `+tls+`server-client.key, trusted-ca-file: `+tls+`server-ca.crt}
peer-transport-security: {client-cert-auth: true, cert-file: `+tls+`peer-server-client.crt, key-file: `+tls+`peer-server-client.key, trusted-ca-file: `+tls+`peer-ca.crt}
`), 0o600)
}

// ownEtcd makes etcd's folder, and gives it and its keys to the user etcd where
// the profile says so. A tree of a test that is not root's keeps its owner.
func (p *Program) ownEtcd() error {
	dir := p.data("server/db/etcd")
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.Chmod(dir, 0o700)); err != nil {
		return err
	}
	profile := p.keys.text("profile", "")
	if p.Product != "rke2" || profile == "" || os.Geteuid() != 0 {
		return nil
	}
	uid, err1 := p.id("/etc/passwd", "etcd")
	gid, err2 := p.id("/etc/group", "etcd")
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	for _, top := range []string{dir, p.data("server/tls/etcd")} {
		if err := filepath.WalkDir(top, func(path string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Lchown(path, uid, gid))
		}); err != nil {
			return err
		}
	}
	return nil
}
