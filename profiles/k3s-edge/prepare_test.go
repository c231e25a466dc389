package k3sedge

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/registries"
	"caisson.dev/caisson/spec"
)

// prepared is a node as it stands before K3s starts, which nothing is against.
func prepared(t *testing.T, name string) profiles.PrepareInput {
	t.Helper()
	in := input(t, site(newest, ""), name)
	root := lay(t, in)
	all, err := host.Sysctls(false)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		put(t, root, "/proc/sys/"+strings.ReplaceAll(strings.ReplaceAll(s.Name, "*", "cni0"), ".", "/"), s.Value+"\n", 0o644)
	}
	put(t, root, "/proc/sys/net/netfilter/x", "", 0o644)
	put(t, root, "/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n", 0o644)
	put(t, root, "/proc/net/route", "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\nenp1s0\t00000000\t01001E0A\t0003\t0\t0\t0\t00000000\n", 0o644)
	put(t, root, "/usr/sbin/iptables", "", 0o755)
	put(t, root, imagesDir+"/k3s-airgap-images-amd64.tar.zst", "x", 0o600)
	for _, token := range tokens(name) {
		put(t, root, configDir+"/"+token, "secret\n", 0o600)
	}
	ready := profiles.PrepareInput{Root: root, Enclave: in.Enclave, Answers: in.Answers, Registry: in.Registry, Epoch: begin.Unix(), Now: begin.Add(time.Hour)}
	if err := New().Prepare(ready); err != nil {
		t.Fatalf("nothing is wrong, and: %v", err)
	}
	return ready
}

// tokens are the files that a node's secrets come in.
func tokens(name string) []string {
	if name == agent {
		return []string{node.JoinToken}
	}
	return []string{node.ServerToken, node.AgentToken}
}

// refuses demands that a change of a good node is found before K3s starts.
func refuses(t *testing.T, name, says string, change func(*profiles.PrepareInput)) {
	t.Helper()
	in := prepared(t, name)
	change(&in)
	if err := New().Prepare(in); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: have %v, need %q", name, err, says)
	}
}

// changed puts another file in place.
func changed(t *testing.T, path, text string) func(*profiles.PrepareInput) {
	return func(in *profiles.PrepareInput) { put(t, in.Root, path, text, 0o600) }
}

// everywhere looks at each node of each line and datastore.
func everywhere(t *testing.T, look func(t *testing.T, name string, n rendered)) {
	t.Helper()
	for _, v := range []string{oldest, newest} {
		for _, store := range []string{spec.DatastoreEtcd, spec.DatastoreSQLite} {
			for _, name := range []string{box, agent} {
				look(t, name, treeOf(t, render(t, input(t, site(v, store), name))))
			}
		}
	}
}

// documented demands that a document says what no node can prevent.
func documented(t *testing.T, words ...string) {
	t.Helper()
	raw, err := os.ReadFile("../../docs/k3s-edge.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range words {
		if !strings.Contains(strings.Join(strings.Fields(string(raw)), " "), w) {
			t.Errorf("docs/k3s-edge.md does not say %q", w)
		}
	}
}

func refusedPackages(t *testing.T, names ...string) {
	t.Helper()
	for _, p := range names {
		e := site(newest, "")
		e.OS.Packages = []string{p}
		if _, err := New().Wants(e); !node.PackageClash.Is(err) {
			t.Errorf("%s: have %v, need OS-PACKAGE-CLASH", p, err)
		}
	}
}

// TestPowerCutAndFlash: what docs/k3s-edge.md says of the box is on it.
func TestPowerCutAndFlash(t *testing.T) {
	everywhere(t, func(t *testing.T, name string, n rendered) {
		for file, words := range map[string][]string{
			"/etc/systemd/journald.conf.d/20-caisson-edge.conf": {"Storage=persistent", "SyncIntervalSec=5min", "SystemMaxUse=128M", "SystemKeepFree=1G"},
			"/etc/systemd/system.conf.d/20-caisson-edge.conf":   {"RuntimeWatchdogSec=60s", "RebootWatchdogSec=10min"},
			"/etc/systemd/system/caisson-room.service":          {"Before=k3s.service k3s-agent.service", "ExecStart=/usr/bin/caisson-node room"},
			"/etc/sysctl.d/91-flash.conf":                       {"vm.dirty_writeback_centisecs = 1500"},
		} {
			for _, w := range words {
				if !strings.Contains(n.file(t, file), w+"\n") {
					t.Errorf("%s: %s lacks %s", name, file, w)
				}
			}
		}
		for _, unit := range []string{"caisson-room.service", "caisson-room.timer"} {
			if !strings.Contains(n.head, "unit "+unit+" enabled=true\n") {
				t.Errorf("%s: %s is not on", name, unit)
			}
		}
		args, _ := conf(t, n)["kubelet-arg"].([]any)
		for _, a := range []string{"container-log-max-size=5Mi", "container-log-max-files=3"} {
			if !slices.Contains(args, any(a)) {
				t.Errorf("%s: no %s", name, a)
			}
		}
	})
	documented(t, "data=ordered", "synchronous=NORMAL", "128 MiB", "256 MiB", "three files of 5 MiB")
}

// TestPrepareReadsTheConfig: files that are gone, and files that say what an
// enclave does not allow, are found before K3s reads them.
func TestPrepareReadsTheConfig(t *testing.T) {
	for _, name := range []string{box, agent} {
		files := []string{"/etc/rancher/k3s/config.yaml", registries.Path(config.K3s)}
		for _, token := range tokens(name) {
			files = append(files, configDir+"/"+token)
		}
		if name == box {
			files = append(files, auditFile, psaFile)
		}
		for _, f := range files {
			refuses(t, name, "NODE-NOT-PREPARED: cannot start Kubernetes on this node: have nothing in "+f+", need ", func(in *profiles.PrepareInput) { os.Remove(in.Root + f) })
		}
		const dropIn = "/etc/rancher/k3s/config.yaml.d/99-x.yaml"
		for _, c := range []struct{ file, text, says string }{
			{registries.Path(config.K3s), "mirrors: {\"*\": {endpoint: [\"http://127.0.0.1:5000\"]}, docker.io: {endpoint: [docker.io]}}\n", "REGISTRIES-LEAK: cannot keep images of docker.io inside"},
			{registries.Path(config.K3s), "mirror: {}\n", "REGISTRIES-INVALID"},
			{dropIn, "disable-default-registry-endpoint: false\n", "have false for disable-default-registry-endpoint, need true"},
			{dropIn, "disable-default-registry-endpoint: \"yes\"\n", "RANCHER-KEY-VALUE"},
			{dropIn, "private-registry: /tmp/r\n", "RANCHER-KEY-NEVER"},
			{dropIn, "profile: cis\n", "RANCHER-KEY-UNKNOWN"},
			{dropIn, "- a\n", "RANCHER-CONFIG-UNREADABLE"},
		} {
			refuses(t, name, c.says, changed(t, c.file, c.text))
		}
	}
	for text, says := range map[string]string{
		"kube-apiserver-arg: [profiling=false]\n":              "RANCHER-KEY-CONFLICT",
		"kube-apiserver-arg+: [audit-policy-file=/dev/null]\n": "RANCHER-KEY-CONFLICT",
		"secrets-encryption: false\n":                          "have false for secrets-encryption, need true",
		"https-listen-port: 7443\n":                            "nodes join at port 6443",
		"embedded-registry: true\n":                            "RANCHER-KEY-NEVER",
	} {
		refuses(t, box, says, changed(t, "/etc/rancher/k3s/config.yaml.d/a.yaml", text))
	}
}

// TestPowerCutInCertsDir: a power cut may leave what K3s writes at each start
// without its bytes; that does not keep it from starting. A folder that it does not
// write is refused as ever.
func TestPowerCutInCertsDir(t *testing.T) {
	const certs = "/var/lib/rancher/k3s/agent/etc/containerd/certs.d"
	in := prepared(t, box)
	changed(t, certs+"/_default/hosts.toml", "")(&in)
	if err := New().Prepare(in); err != nil {
		t.Error(err)
	}
	refuses(t, box, "REGISTRIES-LEAK", changed(t, certs+"/quay.io/hosts.toml", ""))
}
