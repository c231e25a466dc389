package rke2cis

import (
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/registries"
	"caisson.dev/caisson/spec"
)

// TestFailureModes is the list of what RKE2's users met without a network. Each is
// prevented, or said not to be in docs/choosing-a-profile.md.
func TestFailureModes(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"01-no-default-route": func(t *testing.T) {
			in := input(t, site(newest), first)
			in.Answers.Network.Gateway = ""
			n := treeOf(t, render(t, in))
			have := n.file("/etc/systemd/network/20-caisson-nowhere.network")
			if !strings.Contains(have, "Gateway=203.0.113.255") || !strings.Contains(have, "Name="+spec.DummyLink) {
				t.Errorf("no route to nowhere: %q", have)
			}
			// ... which must not become the way to the other nodes' pods.
			if have := n.file(podNetworkFile); !strings.Contains(have, `regexIface: '^(10\.20\.0\.11|10\.20\.0\.12|10\.20\.0\.13)$'`) {
				t.Errorf("the pod network goes by the default route: %q", have)
			}
			refuses(t, newest, first, "no default route", changed(t, "proc/net/route", "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\nenp1s0\t0000140A\t00000000\t0001\t0\t0\t0\t00FFFFFF\n"))
			all(t, func(t *testing.T, v, name string, n rendered) {
				if settings(t, n)["node-ip"] == nil {
					t.Errorf("%s %s: no node-ip", v, name)
				}
			})
		},
		"02-duplicate-hostname": func(t *testing.T) {
			e := site(newest)
			e.Nodes[1].Name = e.Nodes[0].Name
			if err := spec.Validate(e); !spec.Conflict.Is(err) {
				t.Errorf("two nodes of one name: have %v, need SPEC-CONFLICT", err)
			}
			in := input(t, site(newest), first)
			in.Answers.Node, in.Answers.Name = "", "localhost"
			if _, err := New().Render(in); !host.RenderIncomplete.Is(err) {
				t.Errorf("localhost: have %v, need RENDER-INCOMPLETE", err)
			}
			all(t, func(t *testing.T, v, name string, n rendered) {
				if have := settings(t, n)["node-name"]; have != name {
					t.Errorf("%s: node-name is %v, need %s", v, have, name)
				}
			})
			documented(t, "kubectl delete node")
		},
		"03-no-nameserver": func(t *testing.T) {
			for _, dns := range [][]string{nil, {"10.20.0.2"}} {
				e := site(newest)
				e.Network.DNS = dns
				n := treeOf(t, render(t, input(t, e, first)))
				file, _ := settings(t, n)["resolv-conf"].(string)
				if file != "/etc/rancher/rke2/resolv.conf" || !strings.Contains(n.file(file), "\nnameserver ") {
					t.Errorf("resolv-conf is %q with %q", file, n.file(file))
				}
			}
			refuses(t, newest, worker, "no name server", changed(t, "etc/rancher/rke2/resolv.conf", "# nameserver 8.8.8.8\n"))
		},
		"04-wrong-clock": func(t *testing.T) {
			all(t, func(t *testing.T, v, name string, n rendered) {
				unit := "rke2-server"
				if name == worker {
					unit = "rke2-agent"
				}
				have := n.file("/etc/systemd/system/" + unit + ".service.d/10-caisson.conf")
				if !strings.Contains(have, "After=caisson-registry.service time-sync.target ") || !strings.Contains(have, "ExecStartPre=/usr/bin/caisson-node prepare\n") {
					t.Errorf("%s %s: %s", v, name, have)
				}
				if !strings.Contains(n.head, "unit systemd-time-wait-sync.service enabled=true") {
					t.Errorf("%s %s: nobody waits for the time servers", v, name)
				}
			})
			refuses(t, newest, first, "the clock at", func(in *profiles.PrepareInput) { in.Now = time.Unix(made-1, 0) })
		},
		"05-certificates-expire-in-storage": certificatesExpire,
		"06-runtime-image-missing": func(t *testing.T) {
			for _, name := range roles {
				refuses(t, newest, name, "rke2-images-core.linux-amd64.tar.zst", remove("var/lib/rancher/rke2/agent/images/rke2-images-core.linux-amd64.tar.zst"))
			}
			refuses(t, newest, first, "the list rke2-images-core.linux-amd64.TXT", changed(t, "var/lib/rancher/rke2/agent/images/rke2-images-core.linux-amd64.TXT", "docker.io/rancher/x:1\n"))
		},
		"07-other-registry-for-the-system": func(t *testing.T) {
			for key, value := range map[string]any{"system-default-registry": "registry.site.example", "prime": true, "runtime-image": "x", "airgap-extra-registry": []any{"x"}, "data-dir": "/data"} {
				e := site(newest)
				e.Kubernetes.Extra = &spec.Extra{Server: map[string]any{key: value}, Unchecked: []string{key}}
				if _, err := New().Wants(e); !config.KeyNever.Is(err) {
					t.Errorf("%s: have %v, need RANCHER-KEY-NEVER", key, err)
				}
			}
			all(t, func(t *testing.T, v, name string, n rendered) {
				for _, key := range []string{"system-default-registry", "prime"} {
					if have, ok := settings(t, n)[key]; ok {
						t.Errorf("%s %s: %s is %v", v, name, key, have)
					}
				}
			})
		},
		"08-images-of-an-option-missing": func(t *testing.T) {
			for _, c := range []struct {
				version, cni string
				want         []string
			}{
				{versions[0], "canal", []string{"core", "canal", "traefik"}}, {versions[1], "cilium", []string{"core", "cilium", "traefik"}}, {newest, "calico", []string{"core", "calico"}},
			} {
				files, err := New().Payload(site(c.version, c.cni))
				if err != nil {
					t.Fatal(err)
				}
				var have []string
				for _, f := range files {
					if name, ok := strings.CutPrefix(f.Path, "/var/lib/rancher/rke2/agent/images/rke2-images-"); ok {
						have = append(have, strings.TrimSuffix(name, ".linux-amd64.tar.zst"))
					}
				}
				if !slices.Equal(have, c.want) {
					t.Errorf("%s with %s: have %v, need %v", c.version, c.cni, have, c.want)
				}
			}
			imagesOfAnOption(t)
		},
		"09-damaged-archive": func(t *testing.T) {
			wants, err := New().Wants(site(newest))
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range wants {
				if !strings.HasSuffix(w.Name, ".txt") && w.File.Checksum == "" {
					t.Errorf("%s: nobody vouches for it", w.Name)
				}
			}
			files, _ := New().Payload(site(newest))
			for _, f := range files {
				// The vendor's own bytes: what is compressed anew may not be read (wharfie pkg/tarfile).
				if strings.Contains(f.Path, "/agent/images/") && path.Base(f.Path) != path.Base(f.Artifact) {
					t.Errorf("%s becomes %s", f.Artifact, f.Path)
				}
			}
			refuses(t, newest, worker, "rke2-images-canal.linux-amd64.tar.zst", changed(t, "var/lib/rancher/rke2/agent/images/rke2-images-canal.linux-amd64.tar.zst", ""))
		},
		"10-image-collected": func(t *testing.T) {
			all(t, func(t *testing.T, v, name string, n rendered) {
				args, _ := settings(t, n)["kubelet-arg"].([]any)
				if !slices.Contains(args, any("image-gc-high-threshold=100")) {
					t.Errorf("%s %s: the kubelet collects images: %v", v, name, args)
				}
			})
			if New().Needs(spec.ControlPlane).Disk < 20<<30 {
				t.Error("too little disk for what the archives unpack to")
			}
		},
		"11-fallback-to-a-public-registry": func(t *testing.T) {
			all(t, func(t *testing.T, v, name string, n rendered) {
				if settings(t, n)["disable-default-registry-endpoint"] != true {
					t.Errorf("%s %s: disable-default-registry-endpoint is not true", v, name)
				}
				c := registries.Config{Mirrors: []registries.Mirror{{Mirror: input(t, site(v), name).Registry.Mirror()}}}
				if err := c.Prove(config.RKE2, []byte(n.file("/etc/rancher/rke2/registries.yaml")), true); err != nil {
					t.Errorf("%s %s: %v", v, name, err)
				}
			})
			// What RKE2 itself makes of the file at a start is no reason against the next.
			good := prepared(t, newest, worker)
			f, err := registries.Parse([]byte(treeOf(t, render(t, input(t, site(newest), worker))).file("/etc/rancher/rke2/registries.yaml")))
			if err != nil {
				t.Fatal(err)
			}
			for dir, data := range registries.TreeOf(config.RKE2, f, true) {
				write(t, good.Root, registries.CertsDir(config.RKE2)+"/"+dir+"/hosts.toml", string(data))
			}
			if err := New().Prepare(good); err != nil {
				t.Error(err)
			}
			refuses(t, newest, first, "quay.io", func(in *profiles.PrepareInput) { // that no start writes anew
				if err := os.MkdirAll(in.Root+registries.CertsDir(config.RKE2)+"/quay.io", 0o700); err != nil {
					t.Fatal(err)
				}
			})
		},
		"12-plain-registry-gets-an-https-default": func(t *testing.T) {
			all(t, func(t *testing.T, v, name string, n rendered) {
				f, err := registries.Parse([]byte(n.file("/etc/rancher/rke2/registries.yaml")))
				if err != nil || len(f.Configs) != 0 {
					t.Errorf("%s %s: have settings for %v (%v), need a mirror entry alone", v, name, f.Configs, err)
				}
			})
		},
		"13-cis-preconditions": func(t *testing.T) {
			all(t, func(t *testing.T, v, name string, n rendered) {
				list, err := host.ParseSysctls([]byte(n.file("/etc/sysctl.d/90-kubernetes.conf")))
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range []host.Sysctl{{Name: "vm.overcommit_memory", Value: "1"}, {Name: "vm.panic_on_oom", Value: "0"}, {Name: "kernel.panic", Value: "10"}, {Name: "kernel.panic_on_oops", Value: "1"}} {
					if !slices.Contains(list, s) {
						t.Errorf("%s %s: no %v", v, name, s)
					}
				}
				if has := strings.Contains(n.head, "group etcd 900\nuser {\"homeDir\":\"/\",\"name\":\"etcd\""); has != (name != worker) {
					t.Errorf("%s %s: etcd's account: %v", v, name, has)
				}
				if settings(t, n)["profile"] != "cis" {
					t.Errorf("%s %s: not under the profile cis", v, name)
				}
			})
			refuses(t, newest, first, "no etcd in /etc/passwd", changed(t, "etc/passwd", "root:x:0:0::/root:/bin/bash\nnetcd:x:900:900::/:/x\n"))
			refuses(t, newest, further, "no etcd in /etc/group", changed(t, "etc/group", "root:x:0:\n"))
			in := prepared(t, newest, worker)
			write(t, in.Root, "etc/passwd", "root:x:0:0::/root:/bin/bash\n")
			if err := New().Prepare(in); err != nil {
				t.Errorf("an agent needs no etcd: %v", err)
			}
		},
		"14-network-manager": func(t *testing.T) { refusedPackages(t, "network-manager", "netplan.io", "ifupdown") },
		"15-host-firewall":   func(t *testing.T) { refusedPackages(t, "firewalld", "ufw") },
		"16-vxlan-checksum":  vxlanChecksum,
		"17-kernel-modules": func(t *testing.T) {
			n := treeOf(t, render(t, input(t, site(newest), worker)))
			have := strings.Fields(n.file("/etc/modules-load.d/kubernetes.conf") + n.file("/etc/modules-load.d/rancher.conf"))
			for _, m := range []string{"overlay", "br_netfilter", "nf_conntrack", "iptable_nat", "iptable_filter", "vxlan"} {
				if !slices.Contains(have, m) {
					t.Errorf("%s is not loaded", m)
				}
			}
			refuses(t, newest, worker, "no kernel module nf_conntrack", remove("proc/sys/net/netfilter"))
		},
		"18-no-iptables": func(t *testing.T) {
			for _, p := range []string{"iptables", "nftables", "conntrack"} {
				if !slices.Contains(osPackages(t), p) {
					t.Errorf("%s is not in the node OS", p)
				}
			}
			refuses(t, newest, worker, "iptables", remove("usr/sbin/iptables"))
		},
		"19-inotify-limits": func(t *testing.T) {
			all(t, func(t *testing.T, v, name string, n rendered) {
				for _, line := range []string{"fs.inotify.max_user_instances = 8192\n", "fs.inotify.max_user_watches = 524288\n"} {
					if !strings.Contains(n.file("/etc/sysctl.d/90-kubernetes.conf"), line) {
						t.Errorf("%s %s: no %s", v, name, line)
					}
				}
			})
		},
		"20-no-memory-cgroup": func(t *testing.T) {
			refuses(t, newest, worker, "no cgroup controller memory", changed(t, "sys/fs/cgroup/cgroup.controllers", "cpuset cpu io pids\n"))
		},
		"21-selinux-contexts": func(t *testing.T) {
			for _, p := range osPackages(t) {
				if strings.Contains(p, "selinux") || p == "fapolicyd" {
					t.Errorf("%s is in the node OS: label what is copied before the first start", p)
				}
			}
			documented(t, "SELinux and fapolicyd")
		},
		"22-archives-imported-at-each-start": func(t *testing.T) {
			// A cache that does not name the images loses their pins: rather import them.
			for v, want := range map[string]bool{"v1.31.8+rke2r1": false, "v1.31.9+rke2r1": false, "v1.35.7+rke2r1": false, "v1.36.2+rke2r1": false, newest: true} {
				n := treeOf(t, render(t, input(t, site(v), worker)))
				if have := strings.Contains(n.file("/etc/tmpfiles.d/caisson-rancher.conf"), "\nf /var/lib/rancher/rke2/agent/images/.cache.json 0600 "); have != want {
					t.Errorf("%s: have a cache: %v, need %v", v, have, want)
				}
			}
		},
		"23-forwarding-turned-off": func(t *testing.T) {
			refusedPackages(t, "wicked")
			n := treeOf(t, render(t, input(t, site(newest), worker)))
			if !strings.Contains(n.file("/etc/sysctl.d/90-kubernetes.conf"), "\nnet.ipv4.ip_forward = 1\n") {
				t.Error("the node does not forward")
			}
		},
		"24-upgrade-jobs":      upgradeJobs,
		"25-ingress-under-cis": ingressUnderCIS,
	} {
		t.Run(name, test)
	}
}
