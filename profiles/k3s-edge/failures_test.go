package k3sedge

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
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/registries"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/secrets"
	"caisson.dev/caisson/spec"
)

// TestFailureModes is the list of what users of K3s and RKE2 met without a
// network, as far as it concerns K3s (6, the runtime image, is RKE2's alone).
// Each is prevented, or docs/k3s-edge.md says that it is not.
func TestFailureModes(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"01-no-default-route": func(t *testing.T) {
			n := treeOf(t, render(t, input(t, site(newest, ""), box))) // it has no gateway
			if !strings.Contains(n.file(t, "/etc/systemd/network/20-caisson-nowhere.network"), "Gateway=203.0.113.255") {
				t.Error("no route to nowhere")
			}
			// ... which must not become the way to the other nodes' pods.
			if have := conf(t, n)["flannel-iface"]; have != "enp1s0" {
				t.Errorf("flannel-iface is %v", have)
			}
			everywhere(t, func(t *testing.T, name string, n rendered) {
				if conf(t, n)["node-ip"] == nil {
					t.Errorf("%s: no node-ip", name)
				}
			})
			refuses(t, box, "no default route", changed(t, "/proc/net/route", "Iface\n"))
		},
		"02-duplicate-hostname": func(t *testing.T) {
			e := site(newest, "")
			e.Nodes[1].Name = e.Nodes[0].Name
			if err := spec.Validate(e); !spec.Conflict.Is(err) {
				t.Errorf("two nodes of one name: have %v, need SPEC-CONFLICT", err)
			}
			e, a := alone()
			a.Name = "localhost"
			if _, err := New().Render(inputOf(t, e, a)); !host.RenderIncomplete.Is(err) {
				t.Errorf("localhost: have %v, need RENDER-INCOMPLETE", err)
			}
			everywhere(t, func(t *testing.T, name string, n rendered) {
				if have := conf(t, n)["node-name"]; have != name {
					t.Errorf("node-name is %v, need %s", have, name)
				}
			})
			documented(t, "kubectl delete node")
		},
		"03-no-nameserver": func(t *testing.T) {
			for _, dns := range [][]string{nil, {"10.30.0.2"}} {
				e := site(newest, "")
				e.Network.DNS = dns
				n := treeOf(t, render(t, input(t, e, box)))
				file, _ := conf(t, n)["resolv-conf"].(string)
				if file != resolvConf || !strings.Contains("\n"+n.file(t, file), "\nnameserver ") {
					t.Errorf("resolv-conf is %q with %q", file, n.file(t, resolvConf))
				}
			}
			refuses(t, agent, "no name server", changed(t, resolvConf, "# nameserver 8.8.8.8\n"))
		},
		"04-wrong-clock": func(t *testing.T) {
			everywhere(t, func(t *testing.T, name string, n rendered) {
				unit := "k3s"
				if name == agent {
					unit = "k3s-agent"
				}
				have := n.file(t, "/etc/systemd/system/"+unit+".service.d/10-caisson.conf")
				if !strings.Contains(have, "time-sync.target") || !strings.Contains(have, "ExecStartPre=/usr/bin/caisson-node prepare\n") {
					t.Errorf("%s: %s", name, have)
				}
			})
			refuses(t, box, "the clock at", func(in *profiles.PrepareInput) { in.Now = begin.Add(-time.Second) })
		},
		"05-certificates-expire-in-storage": func(t *testing.T) {
			nights := map[string]string{box: "01", agent: "02"}
			everywhere(t, func(t *testing.T, name string, n rendered) {
				if !strings.Contains(n.file(t, "/etc/systemd/system/caisson-renew.timer"), "OnCalendar=*-01,04,07,10-"+nights[name]+" ") ||
					!strings.Contains(n.head, "unit caisson-renew.timer enabled=true") ||
					!strings.Contains(n.file(t, "/etc/systemd/system/caisson-renew.service"), "try-restart k3s") {
					t.Errorf("%s is not started anew", name)
				}
			})
			// What ran out while the box was off is set aside by K3s's own program, which
			// cannot be run in this tree.
			old, _, err := secrets.NewAuthority("kubelet", nil, begin.AddDate(-2, 0, 0), 365*24*time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			for name, file := range map[string]string{box: "server/tls/client-admin.crt", agent: "agent/serving-kubelet.crt"} {
				refuses(t, name, "ran out ("+file+"), need `/usr/local/bin/k3s certificate rotate`", changed(t, dataDir+"/"+file, old))
			}
			documented(t, "set aside before the next start")
		},
		"07-other-registry-for-the-system": func(t *testing.T) {
			for key, value := range map[string]any{"system-default-registry": "registry.site.example", "airgap-extra-registry": []any{"x"}, "data-dir": "/data", "pause-image": "x", "docker": true} {
				e := site(newest, "")
				e.Kubernetes.Extra = &spec.Extra{Server: map[string]any{key: value}, Unchecked: []string{key}}
				if _, err := New().Wants(e); !config.KeyNever.Is(err) {
					t.Errorf("%s: have %v, need RANCHER-KEY-NEVER", key, err)
				}
			}
		},
		"08-images-of-an-option-missing": func(t *testing.T) {
			// One archive has the images of every option; what is off is said to be.
			e := site(newest, "")
			e.Kubernetes.Ingress = []string{spec.None}
			n := treeOf(t, render(t, input(t, e, box)))
			if have, _ := conf(t, n)["disable"].([]any); !slices.Contains(have, any("traefik")) || strings.Contains(n.file(t, node.Manifests(release.K3s)+"/caisson-network-policies.yaml"), "traefik") {
				t.Errorf("without an ingress: disable is %v", have)
			}
			files, err := New().Payload(e)
			if err != nil || !slices.ContainsFunc(files, func(f profiles.PayloadFile) bool { return strings.HasPrefix(f.Path, imagesDir+"/k3s-airgap-images-") }) {
				t.Errorf("no archive: %v, %v", files, err)
			}
			// It is held against the vendor's list before a medium is made (profiles/rancher/archive).
			var asked []string
			_ = New().CheckArchives(e, func(artifact string) (string, error) {
				asked = append(asked, artifact)
				return artifact, nil
			})
			if !slices.Equal(asked, []string{"k3s/k3s-airgap-images-amd64.tar.zst", "k3s/k3s-images.txt"}) {
				t.Errorf("looks into %v", asked)
			}
		},
		"09-damaged-archive": func(t *testing.T) {
			wants, err := New().Wants(site(newest, ""))
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range wants {
				if !strings.HasSuffix(w.Name, ".txt") && w.File.Checksum == "" {
					t.Errorf("%s: nobody vouches for it", w.Name)
				}
			}
			files, _ := New().Payload(site(newest, ""))
			for _, f := range files {
				if strings.HasPrefix(f.Path, imagesDir) && path.Base(f.Path) != path.Base(f.Artifact) {
					t.Errorf("%s becomes %s", f.Artifact, f.Path)
				}
			}
			refuses(t, agent, "k3s-airgap-images-amd64.tar.zst", changed(t, imagesDir+"/k3s-airgap-images-amd64.tar.zst", ""))
			refuses(t, box, "the list k3s-images.TXT", changed(t, imagesDir+"/k3s-images.TXT", "docker.io/rancher/x:1\n"))
		},
		"10-image-collected": func(t *testing.T) {
			everywhere(t, func(t *testing.T, name string, n rendered) {
				args, _ := conf(t, n)["kubelet-arg"].([]any)
				if !slices.Contains(args, any("image-gc-high-threshold=80")) || !slices.ContainsFunc(args, func(a any) bool { return strings.Contains(a.(string), "imagefs.available<10%") }) {
					t.Errorf("%s: clearing begins after eviction: %v", name, args)
				}
				// The pin that clearing respects is set at an import, and lost with the cache.
				if strings.Contains(n.file(t, "/etc/tmpfiles.d/caisson-rancher.conf"), ".cache.json") {
					t.Errorf("%s: archives are passed over at a start", name)
				}
			})
			if New().Needs(spec.ControlPlane).Disk < 6<<30 || New().Needs(spec.Worker).Disk < 4<<30 {
				t.Error("too little disk for what the archive unpacks to")
			}
		},
		"11-fallback-to-a-public-registry": func(t *testing.T) {
			everywhere(t, func(t *testing.T, name string, n rendered) {
				if conf(t, n)["disable-default-registry-endpoint"] != true {
					t.Errorf("%s: disable-default-registry-endpoint is not true", name)
				}
				c := registries.Config{Mirrors: []registries.Mirror{{Mirror: input(t, site(newest, ""), name).Registry.Mirror()}}}
				if err := c.Prove(config.K3s, []byte(n.file(t, registries.Path(config.K3s))), true); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
			refuses(t, box, "quay.io", func(in *profiles.PrepareInput) { // that no start writes anew
				if err := os.MkdirAll(in.Root+registries.CertsDir(config.K3s)+"/quay.io", 0o700); err != nil {
					t.Fatal(err)
				}
			})
		},
		"12-plain-registry-gets-an-https-default": func(t *testing.T) {
			everywhere(t, func(t *testing.T, name string, n rendered) {
				f, err := registries.Parse([]byte(n.file(t, registries.Path(config.K3s))))
				if err != nil || len(f.Configs) != 0 {
					t.Errorf("%s: have settings for %v (%v), need a mirror entry alone", name, f.Configs, err)
				}
			})
		},
		"13-cis-preconditions": func(t *testing.T) {
			everywhere(t, func(t *testing.T, name string, n rendered) {
				list, err := host.ParseSysctls([]byte(n.file(t, "/etc/sysctl.d/90-kubernetes.conf")))
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range []host.Sysctl{{Name: "vm.overcommit_memory", Value: "1"}, {Name: "vm.panic_on_oom", Value: "0"}, {Name: "kernel.panic", Value: "10"}, {Name: "kernel.panic_on_oops", Value: "1"}} {
					if !slices.Contains(list, s) {
						t.Errorf("%s: no %v", name, s)
					}
				}
				if conf(t, n)["protect-kernel-defaults"] != true {
					t.Errorf("%s: the kubelet changes the kernel's settings", name)
				}
			})
			refuses(t, box, "vm.overcommit_memory", changed(t, "/proc/sys/vm/overcommit_memory", "0\n"))
			// What the guide has and what stops the API server: the plugin without limits.
			n := treeOf(t, render(t, input(t, site(newest, ""), box)))
			if psa := n.file(t, psaFile); !strings.Contains(psa, "name: EventRateLimit") || !strings.Contains(psa, "qps: 5000") {
				t.Error("EventRateLimit without limits")
			}
		},
		"14-network-manager": func(t *testing.T) { refusedPackages(t, "network-manager", "netplan.io") },
		"15-host-firewall":   func(t *testing.T) { refusedPackages(t, "firewalld", "ufw") },
		"16-vxlan-checksum": func(t *testing.T) {
			everywhere(t, func(t *testing.T, name string, n rendered) {
				if have := n.file(t, "/etc/udev/rules.d/90-caisson-vxlan.rules"); !strings.Contains(have, `KERNEL=="flannel.1|`) || !strings.Contains(have, "tx-checksum-ip-generic off") {
					t.Errorf("%s: %s", name, have)
				}
			})
		},
		"17-kernel-modules": func(t *testing.T) {
			n := treeOf(t, render(t, input(t, site(newest, ""), agent)))
			have := strings.Fields(n.file(t, "/etc/modules-load.d/kubernetes.conf") + n.file(t, "/etc/modules-load.d/rancher.conf"))
			for _, m := range []string{"overlay", "br_netfilter", "nf_conntrack", "iptable_nat", "iptable_filter", "vxlan"} {
				if !slices.Contains(have, m) {
					t.Errorf("%s is not loaded", m)
				}
			}
			refuses(t, agent, "no kernel module nf_conntrack", func(in *profiles.PrepareInput) { os.RemoveAll(in.Root + "/proc/sys/net/netfilter") })
		},
		"18-no-iptables": func(t *testing.T) {
			refuses(t, box, "iptables", func(in *profiles.PrepareInput) { os.Remove(in.Root + "/usr/sbin/iptables") })
		},
		"19-inotify-limits": func(t *testing.T) {
			n := treeOf(t, render(t, input(t, site(newest, ""), box)))
			if !strings.Contains(n.file(t, "/etc/sysctl.d/90-kubernetes.conf"), "fs.inotify.max_user_instances = 8192\n") {
				t.Error("few watches")
			}
		},
		"20-no-memory-cgroup": func(t *testing.T) {
			refuses(t, box, "no cgroup controller memory", changed(t, "/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io pids\n"))
		},
		"21-selinux-contexts":                func(t *testing.T) { documented(t, "SELinux and fapolicyd are not in the node OS") },
		"22-archives-imported-at-each-start": func(t *testing.T) { documented(t, "a part of a minute at each start") },
		"23-forwarding-turned-off": func(t *testing.T) {
			refusedPackages(t, "wicked")
			n := treeOf(t, render(t, input(t, site(newest, ""), box)))
			if !strings.Contains(n.file(t, "/etc/sysctl.d/90-kubernetes.conf"), "\nnet.ipv4.ip_forward = 1\n") {
				t.Error("the node does not forward")
			}
		},
		"24-upgrade-jobs": func(t *testing.T) {
			if err := New().CheckManifests(site(newest, ""), []profiles.Object{{APIVersion: "upgrade.cattle.io/v1", Kind: "Plan", Name: "p"}}); !node.UpgradeJobs.Is(err) {
				t.Errorf("have %v, need RANCHER-UPGRADE-JOBS", err)
			}
		},
		"25-ingress-under-cis": func(t *testing.T) {
			n := treeOf(t, render(t, input(t, site(newest, ""), box)))
			have := n.file(t, node.Manifests(release.K3s)+"/caisson-network-policies.yaml")
			for _, p := range []string{"allow-all-traefik-v121-ingress", "allow-all-svclbtraefik-ingress", "default-network-dns-policy", "allow-all-metrics-server"} {
				if !strings.Contains(have, "name: "+p+"\n") {
					t.Errorf("no policy %s", p)
				}
			}
			if err := New().CheckManifests(site(newest, ""), []profiles.Object{{APIVersion: "networking.k8s.io/v1", Kind: "Ingress", Name: "web"}}); !node.IngressClosed.Is(err) {
				t.Errorf("have %v, need RANCHER-INGRESS-CLOSED", err)
			}
		},
	} {
		t.Run(name, test)
	}
}
