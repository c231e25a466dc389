package k3sedge

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/profiles/rancher/node"
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
	ready := profiles.PrepareInput{Root: root, Enclave: in.Enclave, Answers: in.Answers, Registry: in.Registry, Epoch: begin.Unix(), Now: begin.Add(time.Hour)}
	if err := New().Prepare(ready); err != nil {
		t.Fatalf("nothing is wrong, and: %v", err)
	}
	return ready
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
