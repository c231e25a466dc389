package rke2cis

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/registries"
	"caisson.dev/caisson/spec"
)

const made = 1790000000 // when the test's medium was made

// prepared is a node on which RKE2 can start, as a tree, and what is asked of it.
func prepared(t testing.TB, version, name string) profiles.PrepareInput {
	t.Helper()
	root := t.TempDir()
	put := func(path, text string) { write(t, root, path, text) }
	in := input(t, site(version, "canal"), name)
	n := treeOf(t, render(t, in))
	for file, data := range n.files {
		path, _, _ := strings.Cut(file, " ")
		put(path, data)
		if strings.HasPrefix(path, "/etc/sysctl.d/") {
			list, err := host.ParseSysctls([]byte(data))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range list {
				put("proc/sys/"+strings.ReplaceAll(strings.ReplaceAll(s.Name, "*", "lo"), ".", "/"), s.Value+"\n")
			}
		}
	}
	put("proc/sys/net/netfilter/nf_conntrack_max", "1\n")
	put("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma\n")
	put("proc/net/route", "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\nenp1s0\t00000000\t0100140A\t0003\t0\t0\t0\t00000000\n")
	put("etc/passwd", "root:x:0:0::/root:/bin/bash\netcd:x:900:900::/:/usr/sbin/nologin\n")
	put("etc/group", "root:x:0:\netcd:x:900:\n")
	put("usr/sbin/iptables", "#!")
	tokens := []string{node.ServerToken, node.AgentToken}
	if name == worker {
		tokens = []string{node.JoinToken}
	}
	for _, token := range tokens {
		put("etc/rancher/rke2/"+token, "secret\n")
		if err := os.Chmod(filepath.Join(root, "etc/rancher/rke2", token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := New().Payload(in.Enclave)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		put(f.Path, f.Artifact)
	}
	return profiles.PrepareInput{Root: root, Enclave: in.Enclave, Answers: in.Answers, Registry: in.Registry, Epoch: made, Now: time.Unix(made+3600, 0)}
}

func write(t testing.TB, root, path, text string) {
	t.Helper()
	path = filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// refuses demands that one change to a good node is the one thing that Prepare
// reports, in these words.
func refuses(t *testing.T, version, name, words string, change func(in *profiles.PrepareInput)) {
	t.Helper()
	in := prepared(t, version, name)
	if err := New().Prepare(in); err != nil {
		t.Fatalf("a good node is refused: %v", err)
	}
	change(&in)
	err := New().Prepare(in)
	if (!node.NotPrepared.Is(err) && !registries.Leak.Is(err)) || !strings.Contains(err.Error(), words) {
		t.Errorf("have %v, need NODE-NOT-PREPARED or REGISTRIES-LEAK with %q", err, words)
	}
	if err != nil && !registries.Leak.Is(err) && strings.Count(err.Error(), "NODE-NOT-PREPARED") != 1 {
		t.Errorf("have more than one reason: %v", err)
	}
}

func remove(path string) func(*profiles.PrepareInput) {
	return func(in *profiles.PrepareInput) { os.RemoveAll(filepath.Join(in.Root, path)) }
}

func changed(t *testing.T, path, text string) func(*profiles.PrepareInput) {
	return func(in *profiles.PrepareInput) { write(t, in.Root, path, text) }
}

// TestPrepareDropsOneThing: every setting that RKE2 or its kubelet ends without
// is looked at, one by one, on servers and agents.
func TestPrepareDropsOneThing(t *testing.T) {
	for _, name := range roles {
		for _, s := range []string{"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes"} {
			refuses(t, newest, name, strings.ReplaceAll(s, "/", ".")+` = "7"`, changed(t, "proc/sys/"+s, "7\n"))
			refuses(t, newest, name, strings.ReplaceAll(s, "/", ".")+` = ""`, remove("proc/sys/"+s))
		}
		for _, c := range []string{"cpuset", "cpu", "memory", "pids"} {
			left := strings.Join(strings.Fields(strings.Replace(" cpuset cpu io memory pids ", " "+c+" ", " ", 1)), " ")
			refuses(t, newest, name, "no cgroup controller "+c, changed(t, "sys/fs/cgroup/cgroup.controllers", left))
		}
	}
}

// TestPrepareReadsTheConfig: files that are gone, and files that say what an
// enclave does not allow, are found before RKE2 reads them.
func TestPrepareReadsTheConfig(t *testing.T) {
	const etc = "etc/rancher/rke2/"
	for _, name := range roles {
		files := []string{"config.yaml", "registries.yaml", node.ServerToken, node.AgentToken, auditPolicy, podSecurity}
		if name == worker {
			files = []string{"config.yaml", "registries.yaml", node.JoinToken}
		}
		for _, f := range files {
			refuses(t, newest, name, "have nothing in /"+etc+f+", need ", remove(etc+f))
			refuses(t, newest, name, "have nothing in /"+etc+f+", need ", changed(t, etc+f, ""))
		}
		for what, c := range map[string]struct {
			file, text string
			code       fault.Kind
			words      string
		}{
			"a public mirror":           {"registries.yaml", "mirrors: {\"*\": {endpoint: [\"http://127.0.0.1:5000\"]}, docker.io: {endpoint: [\"https://registry-1.docker.io\"]}}\n", registries.Leak, "images of docker.io"},
			"settings for a public one": {"registries.yaml", "mirrors: {\"*\": {endpoint: [\"http://127.0.0.1:5000\"]}}\nconfigs: {docker.io: {auth: {username: x}}}\n", registries.Leak, "images of docker.io"},
			"no mirror for any host":    {"registries.yaml", "mirrors: {docker.io: {endpoint: [\"http://127.0.0.1:5000\"]}}\n", registries.Leak, "images of quay.io"},
			"a key that is none":        {"registries.yaml", "mirror: {}\n", registries.Invalid, "mirror"},
			"the last resort":           {"config.yaml.d/99-x.yml", "disable-default-registry-endpoint: false\n", config.KeyConflict, "have false for disable-default-registry-endpoint, need true"},
			"the main file rewritten":   {"config.yaml", "node-name: x\n", config.KeyConflict, "have no such key for disable-default-registry-endpoint"},
			"another token":             {"config.yaml.d/a.yaml", "token-file: /tmp/t\n", config.KeyConflict, "have /tmp/t for token-file"},
			"a misspelt key":            {"config.yaml.d/a.yaml", "protect-kernel-default: true\n", config.KeyUnknown, "protect-kernel-default"},
			"another registries.yaml":   {"config.yaml.d/a.yaml", "private-registry: /tmp/r\n", config.KeyNever, "private-registry"},
			"the vendor's registry":     {"config.yaml.d/a.yaml", "prime: true\n", config.KeyNever, "prime"},
			"no YAML":                   {"config.yaml.d/a.yaml", "[", config.Unreadable, "config.yaml.d/a.yaml"},
		} {
			in := prepared(t, newest, name)
			write(t, in.Root, etc+c.file, c.text)
			if err := New().Prepare(in); !c.code.Is(err) || !strings.Contains(err.Error(), c.words) {
				t.Errorf("%s, %s: have %v, need %s with %q", name, what, err, c.code.Code, c.words)
			}
		}
	}
	for text, code := range map[string]fault.Kind{
		"audit-policy-file: /dev/null\n":                        config.KeyConflict,
		"profile: \"\"\n":                                       config.KeyConflict,
		"kube-apiserver-arg: [anonymous-auth=true]\n":           config.KeyConflict,
		"kube-apiserver-arg+: [tls-min-version=VersionTLS10]\n": config.KeyConflict,
		"embedded-registry: true\n":                             config.KeyNever,
		"etcd-s3: true\n":                                       config.KeyValue,
	} {
		in := prepared(t, newest, first)
		write(t, in.Root, etc+"config.yaml.d/a.yaml", text)
		if err := New().Prepare(in); !code.Is(err) {
			t.Errorf("%q: have %v, need %s", text, err, code.Code)
		}
	}
	// What an administrator may add on the node.
	in := prepared(t, newest, first)
	write(t, in.Root, etc+"config.yaml.d/a.yaml", "debug: true\nkubelet-arg+: [max-pods=50]\netcd-s3: true\netcd-s3-endpoint: 10.0.0.5:9000\netcd-s3-secret-key: x\n")
	if err := New().Prepare(in); err != nil {
		t.Error(err)
	}
}

// TestPrepareTakesTheSpecsOwn: what the Spec adds, checked or not, is no reason to
// refuse, and must stay as it was rendered.
func TestPrepareTakesTheSpecsOwn(t *testing.T) {
	for _, name := range roles {
		in := prepared(t, newest, name)
		keys := map[string]any{"kubelet-arg": []any{"max-pods=50"}, "brand-new": []any{"a", 7}, "node-label": "zone=a", "debug": true}
		x := &spec.Extra{Agent: keys, Server: map[string]any{"etcd-snapshot-reconcile-interval": "20m", "etcd-snapshot-compress": true}, Unchecked: []string{"brand-new"}}
		maps.Copy(x.Server, keys)
		in.Enclave.Kubernetes.Extra = x
		write(t, in.Root, "etc/rancher/rke2/config.yaml", treeOf(t, render(t, input(t, in.Enclave, name))).file("/etc/rancher/rke2/config.yaml"))
		if err := New().Prepare(in); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		write(t, in.Root, "etc/rancher/rke2/config.yaml.d/a.yaml", "kubelet-arg+: [max-pods=500]\n")
		if err := New().Prepare(in); !config.KeyConflict.Is(err) || !strings.Contains(err.Error(), "max-pods=500") {
			t.Errorf("%s: have %v, need RANCHER-KEY-CONFLICT", name, err)
		}
	}
}
