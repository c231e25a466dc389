package k3sedge

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
	"caisson.dev/caisson/spec"
)

// A node as this profile and K3s make it passes every line of its own table.
func TestChecksPass(t *testing.T) {
	kubeletServes(t, http.StatusUnauthorized)
	for _, name := range []string{box, agent} {
		root, _ := running(t, name)
		for _, c := range New().Checks(role(name), profiles.Newest) {
			r := c.Run(context.Background(), root)
			want := check.Pass
			switch {
			case c.ID == "1.1.12" || r.Have == check.ByHand:
				want = check.Manual
			case strings.HasPrefix(r.Have, "no pod:"):
				want = check.NotApplicable
			case strings.Contains(c.Title, "belong") && os.Getuid() != 0:
				want = check.Fail
			}
			if r.Status != want || r.Have == "" || r.Want == "" {
				t.Errorf("%s %s %q: %+v, want %s", name, c.ID, c.Title, r, want)
			}
		}
	}
}

func TestBenchmarkAndUnit(t *testing.T) {
	for version, want := range map[string]string{oldest: "1.11", "v1.32.9+k3s1": "1.12", newest: "2.0 1.12", "v1.28.1+k3s1": "", "x": ""} {
		if have := strings.Join(New().Benchmarks(version), " "); have != want {
			t.Errorf("%s: have %q, need %q", version, have, want)
		}
	}
	if server, agent := New().Unit(spec.ControlPlane), New().Unit(spec.Worker); server != "k3s.service" || agent != "k3s-agent.service" {
		t.Errorf("have %s and %s", server, agent)
	}
}

func TestCheckIDs(t *testing.T) {
	for role, least := range map[string]int{spec.ControlPlane: 135, spec.Worker: 75} {
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

// one runs one line.
func one(t *testing.T, root, role, id string) profiles.Result {
	t.Helper()
	for _, c := range New().Checks(role, profiles.Newest) {
		if c.ID == id {
			return c.Run(context.Background(), root)
		}
	}
	t.Fatalf("no check %s", id)
	return profiles.Result{}
}

// Each change breaks one line, and that line says so.
func TestChecksFail(t *testing.T) {
	kubeletServes(t, http.StatusUnauthorized)
	root, a := running(t, box)
	const conf = "/etc/rancher/k3s/config.yaml"
	for _, c := range []struct{ id, file, old, new, have string }{
		{"1.2.1", conf, "- audit-log-maxage=30", "- anonymous-auth=true", "--anonymous-auth=true"},
		{"1.2.2", conf, "- audit-log-maxage=30", "- token-auth-file=/x", "--token-auth-file=/x"},
		{"1.2.3", conf, ",DenyServiceExternalIPs", "", "--enable-admission-plugins="},
		{"1.2.6", conf, "- audit-log-maxage=30", "- authorization-mode=AlwaysAllow", "AlwaysAllow"},
		{"1.2.9", conf, ",EventRateLimit", "", "--enable-admission-plugins="},
		{"1.2.9", psaFile, "qps: 5000", "qps: 0", "no limits"},
		{"1.2.14", conf, "NodeRestriction,", "", "--enable-admission-plugins="},
		{"1.2.15", conf, "- audit-log-maxage=30", "- --profiling=true", "--profiling=true"},
		{"1.2.16", conf, "- audit-log-path=", "- audit-log-pat=", "is not set"},
		{"1.2.17", conf, "audit-log-maxage=30", "audit-log-maxage=29", "=29"},
		{"1.2.27", conf, "secrets-encryption: true", "secrets-encryption: false", "false"},
		{"1.2.28", encryptionFile, "aescbc", "identity", "secrets: identity"},
		{"1.2.29", conf, "- tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,", "- tls-cipher-suites=TLS_RSA_WITH_AES_128_CBC_SHA,", "CBC"},
		{"1.2.30", conf, "service-account-extend-token-expiration=false", "service-account-extend-token-expiration=true", "=true"},
		{"1.3.1", conf, "terminated-pod-gc-threshold", "other", "is not set"},
		{"3.2.1", auditFile, "- level: Metadata", "- level: None", "level None"},
		{"4.2.5", conf, "streaming-connection-idle-timeout=5m", "streaming-connection-idle-timeout=0", "=0"},
		{"4.2.7", conf, "node-name: edge-1", "node-name: edge-9", "edge-9"},
		{"4.2.14", conf, "seccomp-default=true", "seccomp-default=false", "=false"},
		{"C.1", conf, "protect-kernel-defaults: true", "debug: true", "is not set"},
		{"C.5", psaFile, "enforce: restricted", "enforce: privileged", "privileged"},
		{"C.6", conf, "secrets-encryption: true", "profile: cis", "profile"},
		{"C.13", auditLog, "audit.k8s.io/v1", "v1", `of "v1"`},
		{"C.20", conf, "disable-default-registry-endpoint: true", "debug: true", "is not set"},
		{"C.21", "/var/lib/rancher/k3s/agent/etc/containerd/certs.d/_default/hosts.toml", "127.0.0.1:5000", "registry-1.docker.io", "docker.io"},
		{"C.23", "/etc/rancher/k3s/resolv.conf", "nameserver", "#", "name servers"},
		{"C.24", "/proc/mounts", "rw,relatime", "rw,data=writeback", "data=writeback"},
		{"C.24", "/proc/mounts", "ext4", "xfs", "xfs"},
		{"C.25", "/sys/class/watchdog/watchdog0/state", "active", "inactive", "inactive"},
		{"C.2.kernel.panic", "/proc/sys/kernel/panic", "10", "0", "kernel.panic = 0"},
	} {
		path := filepath.Join(root, c.file)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		after := strings.ReplaceAll(string(before), c.old, c.new)
		if after == string(before) {
			t.Fatalf("%s: nothing to change in %s", c.id, c.file)
		}
		if err := os.WriteFile(path, []byte(after), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := one(t, root, spec.ControlPlane, c.id); r.Status != check.Fail || !strings.Contains(r.Have, c.have) {
			t.Errorf("%s with %q: %+v, want fail with %q", c.id, c.new, r, c.have)
		}
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// A drop-in counts as K3s counts it: after the main file.
	put(t, root, "/etc/rancher/k3s/config.yaml.d/99.yaml", "protect-kernel-defaults: false\n", 0o600)
	if r := one(t, root, spec.ControlPlane, "C.1"); r.Status != check.Fail {
		t.Errorf("a drop-in: %+v", r)
	}
	put(t, root, "/etc/rancher/k3s/config.yaml.d/99.yaml", "debug: true\n", 0o644)
	if r := one(t, root, spec.ControlPlane, "4.1.9"); r.Status != check.Fail || !strings.Contains(r.Have, "0644") {
		t.Errorf("a drop-in for all to read: %+v", r)
	}
	a.stranger = http.StatusOK
	if r := one(t, root, spec.ControlPlane, "C.9"); r.Status != check.Fail || !strings.Contains(r.Have, "200 for /api") {
		t.Errorf("a stranger is answered: %+v", r)
	}
	a.statuses["/api/v1/namespaces/default/pods?dryRun=All"] = http.StatusCreated
	if r := one(t, root, spec.ControlPlane, "5.2.2"); r.Status != check.Fail || !strings.Contains(r.Have, "201") {
		t.Errorf("a privileged pod is taken: %+v", r)
	}
	a.set("/api/v1/namespaces", `{"items":[{"metadata":{"name":"site","labels":{"pod-security.kubernetes.io/enforce":"baseline"}}}]}`)
	for _, id := range []string{"5.2.7", "5.3.2"} {
		if r := one(t, root, spec.ControlPlane, id); r.Status != check.Fail || !strings.HasPrefix(r.Have, "not in site") {
			t.Errorf("%s of a namespace that is open: %+v", id, r)
		}
	}
	if r := one(t, root, spec.ControlPlane, "5.2.3"); r.Status != check.Pass {
		t.Errorf("5.2.3 of a namespace at baseline: %+v", r)
	}
	put(t, root, imagesDir+"/k3s-images.txt", "docker.io/x\n", 0o600)
	if r := one(t, root, spec.ControlPlane, "C.22"); r.Status != check.Fail {
		t.Errorf("an order to pull: %+v", r)
	}
	put(t, root, dataDir+"/server/db/etcd/member/snap/db", "plain", 0o600)
	if r := one(t, root, spec.ControlPlane, "C.14"); r.Status != check.Fail {
		t.Errorf("secrets as they are: %+v", r)
	}
}

// TestUncheckedKeyIsKnown: C.6 allows what the Spec allows, and nothing more.
func TestUncheckedKeyIsKnown(t *testing.T) {
	root, _ := running(t, box)
	put(t, root, "/etc/rancher/k3s/config.yaml.d/99.yaml", "brand-new: on\n", 0o600)
	put(t, root, bundle.NodeSpec, "apiVersion: caisson.dev/v1alpha1\nkind: Enclave\nmetadata: {name: site}\nkubernetes: {profile: k3s-edge, version: "+newest+
		", extra: {server: {brand-new: true}, unchecked: [brand-new]}}\nregistry: {engine: distribution, version: v3.1.2}\n", 0o600)
	if r := one(t, root, spec.ControlPlane, "C.6"); r.Status != check.Pass {
		t.Errorf("allowed by the Spec: %+v", r)
	}
	put(t, root, "/etc/rancher/k3s/config.yaml.d/99.yaml", "brand-newer: on\n", 0o600)
	if r := one(t, root, spec.ControlPlane, "C.6"); r.Status != check.Fail || !strings.Contains(r.Have, "brand-newer") {
		t.Errorf("another key: %+v", r)
	}
	put(t, root, "/etc/rancher/k3s/config.yaml.d/99.yaml", "brand-new: on\n", 0o600)
	put(t, root, bundle.NodeSpec, "[", 0o600)
	if r := one(t, root, spec.ControlPlane, "C.6"); r.Status != check.Fail {
		t.Errorf("no Spec: %+v", r)
	}
}

// TestSQLiteIsLookedAt: the same lines hold with the other datastore.
func TestSQLiteIsLookedAt(t *testing.T) {
	root, _ := running(t, box)
	if err := os.RemoveAll(filepath.Join(root, dataDir, "server/db")); err != nil {
		t.Fatal(err)
	}
	if r := one(t, root, spec.ControlPlane, "C.14"); r.Status != check.Fail || r.Have != "no datastore" {
		t.Errorf("none: %+v", r)
	}
	put(t, root, dataDir+"/server/db/state.db", "SQLite format 3", 0o600)
	put(t, root, dataDir+"/server/db/state.db-wal", "k8s:enc:aescbc", 0o600)
	if r := one(t, root, spec.ControlPlane, "C.14"); r.Status != check.Pass || !strings.Contains(r.Have, "state.db-wal") {
		t.Errorf("in the write-ahead log: %+v", r)
	}
	for _, id := range []string{"1.1.11", "1.1.12"} {
		if r := one(t, root, spec.ControlPlane, id); r.Status != check.NotApplicable {
			t.Errorf("%s: %+v", id, r)
		}
	}
}

// A node that is down fails its checks and hangs none; the kubelet's too.
func TestChecksOfADeadNode(t *testing.T) {
	kubeletServes(t, http.StatusOK)
	for _, c := range New().Checks(spec.ControlPlane, profiles.Newest) {
		if r := c.Run(context.Background(), t.TempDir()); r.Status == check.Pass && c.ID != "C.8" {
			t.Errorf("%s passes on a node without files: %+v", c.ID, r)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range New().Checks(spec.Worker, profiles.Newest) {
		if r := c.Run(ctx, t.TempDir()); r.Status != check.Fail {
			t.Errorf("%s after the end: %+v", c.ID, r)
		}
	}
}
