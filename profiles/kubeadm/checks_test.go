package kubeadm

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
	"caisson.dev/caisson/spec"
)

// asRoot: the files of a test belong to whoever runs it.
var asRoot = os.Getuid() == 0 && os.Getgid() == 0

func isOwner(c profiles.Check) bool {
	return strings.Contains(c.Title, "belong")
}

// A node as this profile and kubeadm make it passes every line of its own table.
func TestChecksPass(t *testing.T) {
	for _, role := range []string{spec.ControlPlane, spec.Worker} {
		n := liveNode(t, role).start(t)
		for _, c := range n.profile().Checks(role, profiles.Newest) {
			r := c.Run(context.Background(), n.root)
			want := pass
			if c.ID == "1.1.12" || r.Have == check.ByHand {
				want = manual
			}
			if isOwner(c) && !asRoot {
				want = fail
			}
			if r.Status != want {
				t.Errorf("%s %s %q: %s, have %q, want %q", role, c.ID, c.Title, r.Status, r.Have, r.Want)
			}
			if r.Have == "" || r.Want == "" {
				t.Errorf("%s: %+v says too little", c.ID, r)
			}
		}
	}
}

func TestCheckIDs(t *testing.T) {
	for role, least := range map[string]int{spec.ControlPlane: 125, spec.Worker: 65} {
		seen := map[string]bool{}
		for _, c := range New().Checks(role, profiles.Newest) {
			if seen[c.ID] || c.Title == "" {
				t.Errorf("%s: check %q %q is there twice or has no title", role, c.ID, c.Title)
			}
			seen[c.ID] = true
		}
		if len(seen) < least {
			t.Errorf("%s: %d checks, want %d or more", role, len(seen), least)
		}
	}
}

// Each change breaks one line, and that line says so.
func TestChecksFail(t *testing.T) {
	n := liveNode(t, spec.ControlPlane)
	const api, manager, kubelet = "etc/kubernetes/manifests/kube-apiserver.yaml", "etc/kubernetes/manifests/kube-controller-manager.yaml", "var/lib/kubelet/config.yaml"
	for _, test := range []struct{ id, file, old, new string }{
		{"1.2.1", "etc/kubernetes/apiserver/authentication.yaml", "path: /healthz", "path: /api"},
		{"1.2.1", "etc/kubernetes/apiserver/authentication.yaml", "  - path: /livez\n  - path: /readyz\n  - path: /healthz\n", ""},
		{"1.2.1", api, "--authentication-config=/etc/kubernetes/apiserver/authentication.yaml", "--v=1"},
		{"1.2.2", api, "--profiling=false", "--token-auth-file=/x"},
		{"1.2.3", api, ",DenyServiceExternalIPs", ""},
		{"1.2.4", api, "--kubelet-client-key=", "--kubelet-client-kez="},
		{"1.2.5", api, "--kubelet-certificate-authority=", "--kubelet-certificate="},
		{"1.2.6", api, "Node,RBAC", "Node,RBAC,AlwaysAllow"},
		{"1.2.7", api, "Node,RBAC", "RBAC"},
		{"1.2.8", api, "Node,RBAC", "Node"},
		{"1.2.9", api, "EventRateLimit,", ""},
		{"1.2.10", api, "EventRateLimit,", "AlwaysAdmit,"},
		{"1.2.12", api, "--profiling=false", "--disable-admission-plugins=ServiceAccount"},
		{"1.2.14", api, "NodeRestriction,", ""},
		{"1.2.15", api, "--profiling=false", "--profiling=true"},
		{"1.2.16", api, "--audit-log-path=", "--audit-log-pat="},
		{"1.2.17", api, "--audit-log-maxage=30", "--audit-log-maxage=29"},
		{"1.2.17", api, "--audit-log-maxage=30", "--audit-log-maxage=x"},
		{"1.2.21", api, "--profiling=false", "--service-account-lookup=false"},
		{"1.2.27", api, "--encryption-provider-config=", "--encryption-provider="},
		{"1.2.28", "etc/kubernetes/apiserver/encryption.yaml", "aescbc", "identity"},
		{"1.2.28", "etc/kubernetes/apiserver/encryption.yaml", "[secrets]", "[configmaps]"},
		{"1.2.29", api, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA"},
		{"1.2.30", api, "--service-account-extend-token-expiration=false", "--v=1"},
		{"1.3.2", manager, "--profiling=false", "--v=1"},
		{"1.3.7", manager, "--bind-address=127.0.0.1", "--bind-address=0.0.0.0"},
		{"2.2", "etc/kubernetes/manifests/etcd.yaml", "--client-cert-auth=true", "--client-cert-auth=false"},
		{"2.7", "etc/kubernetes/manifests/etcd.yaml", "--trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt", "--trusted-ca-file=/etc/kubernetes/pki/ca.crt"},
		{"4.2.1", kubelet, "anonymous:\n    enabled: false", "anonymous:\n    enabled: true"},
		{"4.2.2", kubelet, "mode: Webhook", "mode: AlwaysAllow"},
		{"4.2.3", kubelet, "clientCAFile:", "clientCAFilez:"},
		{"4.2.4", kubelet, "seccompDefault: true", "readOnlyPort: 10255"},
		{"4.2.5", kubelet, "streamingConnectionIdleTimeout: 5m0s", "streamingConnectionIdleTimeout: 0s"},
		{"4.2.6", kubelet, "makeIPTablesUtilChains: true", "makeIPTablesUtilChains: false"},
		{"4.2.7", "var/lib/kubelet/kubeadm-flags.env", "--node-ip", "--hostname-override=x --node-ip"},
		{"4.2.9", kubelet, "tlsCertFile:", "tlsCertFilez:"},
		{"4.2.12", kubelet, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_RC4_128_SHA"},
		{"4.2.13", kubelet, "podPidsLimit: 4096", "podPidsLimit: -1"},
		{"4.2.14", kubelet, "seccompDefault: true", "seccompDefault: false"},
		{"C.1", kubelet, "protectKernelDefaults: true", "protectKernelDefaults: false"},
	} {
		t.Run(test.id+" "+test.new, func(t *testing.T) {
			path := filepath.Join(n.root, test.file)
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(raw), test.old) {
				t.Fatalf("%s does not hold %q: the test changes nothing", test.file, test.old)
			}
			write(t, n.root, test.file, []byte(strings.Replace(string(raw), test.old, test.new, 1)))
			defer write(t, n.root, test.file, raw)
			if r := n.run(t, test.id); r.Status != fail {
				t.Errorf("%+v, want fail", r)
			}
		})
	}
}

func TestCheckModes(t *testing.T) {
	n := liveNode(t, spec.ControlPlane)
	for id, file := range map[string]string{
		"1.1.1": "etc/kubernetes/manifests/kube-apiserver.yaml", "1.1.9": "etc/cni/net.d/10-caisson.conflist",
		"1.1.11": "var/lib/etcd", "1.1.13": "etc/kubernetes/super-admin.conf", "1.1.20": "etc/kubernetes/pki/etcd/server.crt",
		"1.1.21": "etc/kubernetes/pki/sa.key", "4.1.1": "etc/systemd/system/kubelet.service.d/10-kubeadm.conf", "4.1.9": "var/lib/kubelet/config.yaml",
	} {
		if err := os.Chmod(filepath.Join(n.root, file), 0o775); err != nil {
			t.Fatal(err)
		}
		if r := n.run(t, id); r.Status != fail || !strings.Contains(r.Have, "0775") {
			t.Errorf("%s: %+v, want fail with the mode", id, r)
		}
	}
}

// A file that is not there is not a passed check.
func TestChecksOnAnEmptyTree(t *testing.T) {
	root := t.TempDir()
	nothing := Profile{dial: ports{}.dial}
	for _, c := range nothing.Checks(spec.ControlPlane, profiles.Newest) {
		if r := c.Run(context.Background(), root); r.Status == pass || r.Status == manual && r.Have != check.ByHand {
			t.Errorf("%s passes on an empty tree: %+v", c.ID, r)
		}
	}
}

// FuzzFlagsOf: a damaged pod file is an error, never a crash.
func FuzzFlagsOf(f *testing.F) {
	f.Add([]byte("spec: {containers: [{command: [etcd, --a=b, --c, d]}]}"))
	f.Add([]byte("spec: {containers: []}"))
	f.Add([]byte("\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		root := t.TempDir()
		if err := os.MkdirAll(filepath.Join(root, manifests), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, manifests, "etcd.yaml"), raw, 0o600); err != nil {
			t.Fatal(err)
		}
		flags, err := flagsOf(root, "etcd")
		if err == nil && flags == nil {
			t.Error("neither flags nor an error")
		}
	})
}
