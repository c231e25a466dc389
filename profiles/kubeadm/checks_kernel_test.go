package kubeadm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/spec"
)

// Every setting that a node is given is checked on it: one other value, or none,
// fails one line and says which.
func TestKernel(t *testing.T) {
	for _, role := range []string{spec.ControlPlane, spec.Worker} {
		n := liveNode(t, role)
		set := 0
		for _, f := range render(t, input(role)).Storage.Files {
			if !strings.HasPrefix(f.Path, "/etc/sysctl.d/") {
				continue
			}
			for line := range strings.Lines(string(content(t, f))) {
				fields := strings.Fields(line)
				if len(fields) == 0 || fields[0] == "#" {
					continue
				}
				set++
				link := strings.ReplaceAll(fields[0], "*", "cni0")
				path := "proc/sys/" + strings.ReplaceAll(link, ".", "/")
				before := read(t, n.root, path)
				write(t, n.root, path, []byte("7\n"))
				if r := n.run(t, "C.2."+fields[0]); r.Status != fail || r.Have != link+" = 7" || r.Want != strings.TrimSpace(line) {
					t.Errorf("%s: another value: %+v", fields[0], r)
				}
				write(t, n.root, path, before)
				if r := n.run(t, "C.2."+fields[0]); r.Status != pass {
					t.Errorf("%s: %+v", fields[0], r)
				}
			}
		}
		if set < 40 {
			t.Errorf("%s: %d settings, want 40 or more", role, set)
		}
		if err := os.RemoveAll(filepath.Join(n.root, "proc/sys/net/bridge")); err != nil {
			t.Fatal(err)
		}
		if r := n.run(t, "C.2.net.bridge.bridge-nf-call-iptables"); r.Status != fail || !strings.Contains(r.Have, "is not there") {
			t.Errorf("without the module: %+v", r)
		}
	}
}

// A path of the network must be strict and seen (CIS Debian Benchmark, 3.3).
func TestNetworkHardening(t *testing.T) {
	all, err := host.Sysctls(false)
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]string{}
	for _, s := range all {
		have[s.Name] = s.Value
	}
	for _, where := range []string{"all", "default"} {
		for name, want := range map[string]string{
			"net.ipv4.conf.%.rp_filter": "1", "net.ipv4.conf.%.log_martians": "1", "net.ipv4.conf.%.send_redirects": "0",
			"net.ipv4.conf.%.accept_source_route": "0", "net.ipv6.conf.%.accept_source_route": "0",
			"net.ipv4.conf.%.accept_redirects": "0", "net.ipv6.conf.%.accept_redirects": "0", "net.ipv6.conf.%.accept_ra": "0",
		} {
			name = strings.ReplaceAll(name, "%", where)
			if have[name] != want {
				t.Errorf("%s is %q, want %s", name, have[name], want)
			}
		}
	}
}
