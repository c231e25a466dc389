package node

import (
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/profiles/rancher/config"
)

const (
	rke2Config = "etc/rancher/rke2/config.yaml"
	k3sConfig  = "etc/rancher/k3s/config.yaml"
)

// TestMutations takes one thing away from a good node, or spoils it. The start
// must end, with the words that tell which.
func TestMutations(t *testing.T) {
	for _, m := range []struct {
		what    string
		product config.Product
		change  func(*good)
		words   string
	}{
		// One sysctl.
		{"overcommit", "rke2", func(g *good) { g.put("proc/sys/vm/overcommit_memory", "0\n") }, "invalid kernel parameter value vm.overcommit_memory=0 - expected 1"},
		{"panic_on_oom", "rke2", func(g *good) { g.put("proc/sys/vm/panic_on_oom", "1\n") }, "invalid kernel parameter value vm.panic_on_oom=1 - expected 0"},
		{"panic", "rke2", func(g *good) { g.put("proc/sys/kernel/panic", "0\n") }, "invalid kernel parameter value kernel.panic=0 - expected 10"},
		{"panic_on_oops", "rke2", func(g *good) { g.put("proc/sys/kernel/panic_on_oops", "0\n") }, "invalid kernel parameter value kernel.panic_on_oops=0 - expected 1"},
		{"two sysctls are both told", "rke2", func(g *good) {
			g.put("proc/sys/vm/overcommit_memory", "0\n")
			g.put("proc/sys/kernel/panic", "0\n")
		}, "vm.overcommit_memory=0 - expected 1; invalid kernel parameter value kernel.panic=0"},
		{"a sysctl that is not there", "rke2", func(g *good) { g.remove("proc/sys/kernel/panic") }, "cannot read kernel parameter kernel.panic"},
		{"the kubelet's own", "rke2", func(g *good) { g.put("proc/sys/kernel/keys/root_maxkeys", "200\n") }, "kernel.keys.root_maxkeys is 200, expected 1000000"},
		{"the kubelet's, of K3s", "k3s", func(g *good) { g.put("proc/sys/kernel/panic", "0\n") }, "protectKernelDefaults: kernel.panic is 0, expected 10"},

		// One user.
		{"the user etcd", "rke2", func(g *good) { g.replace("etc/passwd", "etcd:x", "etcs:x") }, "missing required: user: unknown user etcd"},
		{"the group etcd", "rke2", func(g *good) { g.replace("etc/group", "etcd:x", "etcs:x") }, "missing required: group: unknown group etcd"},

		// One key.
		{"a slip", "rke2", func(g *good) { g.replace(rke2Config, "node-label:", "node-lable:") }, `cannot use "node-lable"`},
		{"RKE2's profile in K3s", "k3s", func(g *good) { g.put("etc/rancher/k3s/config.yaml.d/50.yaml", "profile: cis\n") }, `cannot use "profile" for K3s`},
		{"a profile that is none", "rke2", func(g *good) { g.replace(rke2Config, "profile: cis", "profile: cis-1.23") }, `have "cis-1.23"`},
		{"the profile without its kernel", "rke2", func(g *good) {
			g.replace(rke2Config, "protect-kernel-defaults: true", "protect-kernel-defaults: false")
		}, "protect-kernel-defaults"},
		{"a mode without quotes", "rke2", func(g *good) { g.put("etc/rancher/rke2/config.yaml.d/50.yaml", "write-kubeconfig-mode: 0600\n") }, "have int 384"},
		{"no way back from the default endpoint", "rke2", func(g *good) { g.replace(rke2Config, "disable-default-registry-endpoint: true\n", "") }, "images of docker.io would be asked for at https://registry-1.docker.io/v2"},
		{"the same of K3s", "k3s", func(g *good) { g.replace(k3sConfig, "disable-default-registry-endpoint: true\n", "") }, "would be asked for at https://registry-1.docker.io/v2"},
		{"resolv-conf, and no resolver", "k3s", func(g *good) {
			g.replace(k3sConfig, "resolv-conf: /etc/site/resolv.conf\n", "")
			g.put("etc/resolv.conf", "nameserver 127.0.0.53\n")
		}, "a name server of the internet would be used"},
		{"the audit policy of K3s is not there", "k3s", func(g *good) { g.remove("etc/site/audit.yaml") }, "kube-apiserver exited: --audit-policy-file"},

		// One file.
		{"registries.yaml", "rke2", func(g *good) { g.remove("etc/rancher/rke2/registries.yaml") }, "have no registries.yaml"},
		{"a key of registries.yaml", "k3s", func(g *good) { g.replace("etc/rancher/k3s/registries.yaml", "endpoint:", "endpoint\":") }, "endpoint\" not found"},
		{"the core archive", "rke2", func(g *good) {
			g.remove("var/lib/rancher/rke2/agent/images/rke2-images-core.linux-amd64.tar.zst")
		}, "the runtime image is in no archive"},
		{"the archives' folder", "rke2", func(g *good) { g.remove("var/lib/rancher/rke2/agent/images") }, "the runtime image is in no archive"},
		{"K3s' archive", "k3s", func(g *good) { g.remove("var/lib/rancher/k3s/agent/images") }, "have no image archive"},
		{"half an archive", "k3s", func(g *good) {
			g.put("var/lib/rancher/k3s/agent/images/k3s-airgap-images-amd64.tar.zst", "\x28\xb5\x2f\xfd")
		}, "failed to import"},
		{"a list of images", "rke2", func(g *good) { g.put("var/lib/rancher/rke2/agent/images/all.txt", "docker.io/x\n") }, "is a list of images that would be pulled"},
		{"the runtime image of another release", "rke2", func(g *good) { g.program.Version = "v1.36.4+rke2r1" }, "the runtime image is in no archive"},
		{"the token", "rke2", func(g *good) { g.remove("etc/site/token") }, "token file /etc/site/token did not come"},
		{"an empty token", "k3s", func(g *good) { g.put("etc/site/token", "\n") }, "token file /etc/site/token is empty"},
		{"a token of another CA's", "rke2", func(g *good) {
			g.put("etc/site/token", "K10"+strings.Repeat("a", 64)+"::server:x")
			if _, err := newCA(g.path("var/lib/rancher/rke2/server/tls/server-ca")); err != nil {
				g.t.Fatal(err)
			}
		}, "token CA hash does not match"},
		{"half a token", "k3s", func(g *good) { g.put("etc/site/token", "K10abc::server:x") }, "invalid token CA hash length"},
		{"RKE2's own policy that logs nothing is no error", "rke2", func(g *good) {
			g.replace(rke2Config, "audit-policy-file: /etc/site/audit.yaml\n", "")
		}, ""},
		{"the folder of the audit log", "k3s", func(g *good) { g.remove("var/lib/rancher/k3s/server/logs") }, "kube-apiserver exited: --audit-log-path"},
		{"the file that resolv-conf names", "rke2", func(g *good) { g.remove("etc/site/resolv.conf") }, "etc/site/resolv.conf"},
		{"a default route", "rke2", func(g *good) { g.replace("proc/net/route", "00000000\t0100140A", "0000140A\t0100140A") }, "no default routes found"},
		{"a default route that is down", "k3s", func(g *good) { g.replace("proc/net/route", "\t0003\t", "\t0002\t") }, "no default routes found"},
	} {
		t.Run(m.what, func(t *testing.T) {
			g := newGood(t, m.product, true, "")
			m.change(g)
			if m.words == "" {
				g.up()
				return
			}
			select {
			case err := <-g.start(t.Context()):
				if err == nil || !strings.Contains(err.Error(), m.words) {
					t.Errorf("have %v, need %q", err, m.words)
				}
			case <-g.ready:
				t.Errorf("it came up; need %q\n%s", m.words, g.output())
			case <-time.After(time.Minute):
				t.Error("it hangs")
			}
			g.voice()
		})
	}
}

// TestLax: what the real programs live with they say, and go on.
func TestLax(t *testing.T) {
	for _, c := range []struct {
		product config.Product
		change  func(*good)
		words   string
	}{
		{"k3s", func(g *good) { g.put("etc/rancher/k3s/config.yaml.d/50.yaml", "profile: cis\n") }, "Unknown flag --profile found in config.yaml, skipping"},
		{"rke2", func(g *good) { g.put("etc/rancher/rke2/config.yaml.d/50.yaml", "disable-helm-controller: true\n") }, "Unknown flag --disable-helm-controller found in config.yaml, skipping"},
		{"rke2", func(g *good) { g.replace(rke2Config, "profile: cis\n", "") }, "not running in CIS mode"},
		{"k3s", func(g *good) { g.remove("etc/rancher/k3s/registries.yaml") }, "have no registries.yaml"},
		{"k3s", func(g *good) {
			g.replace(k3sConfig, "resolv-conf: /etc/site/resolv.conf\n", "")
		}, "nameservers 8.8.8.8"},
	} {
		g := newGood(t, c.product, true, "")
		g.program.Lax = true
		c.change(g)
		g.up()
		if !strings.Contains(g.output(), c.words) {
			t.Errorf("the output has no %q:\n%s", c.words, g.output())
		}
	}
}
