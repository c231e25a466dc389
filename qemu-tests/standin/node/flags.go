package node

import (
	"maps"
	"slices"
	"strings"
)

// flags are the arguments of one program, by name.
type flags map[string]string

// with puts the arguments of config.yaml over the product's own. A trailing +
// adds to the default with a comma.
func (f flags) with(items []string) flags {
	out := maps.Clone(f)
	for _, item := range items {
		name, value, _ := strings.Cut(strings.TrimPrefix(item, "--"), "=")
		if base, more := strings.CutSuffix(name, "+"); more {
			if out[base] != "" {
				value = out[base] + "," + value
			}
			name = base
		}
		out[name] = value
	}
	return out
}

func (f flags) args() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(f)) {
		out = append(out, "--"+name+"="+f[name])
	}
	return out
}

// cis tells whether RKE2's profile is on; K3s has none.
func (p *Program) cis() bool { return p.Product == "rke2" && p.keys.text("profile", "") == "cis" }

// apiServer is kube-apiserver's command line as far as their sources tell it:
// what is always on, what the profile turns on, and what config.yaml says.
func (p *Program) apiServer() flags {
	tls := p.dataDir() + "/server/tls/"
	f := flags{
		"anonymous-auth": "false", "profiling": "false", "authorization-mode": "Node,RBAC", "enable-admission-plugins": "NodeRestriction",
		"encryption-provider-config": p.dataDir() + "/server/cred/encryption-config.json",
		"client-ca-file":             tls + "client-ca.crt", "tls-cert-file": tls + "serving-kube-apiserver.crt", "tls-private-key-file": tls + "serving-kube-apiserver.key",
		"etcd-cafile": tls + "etcd/server-ca.crt", "etcd-certfile": tls + "etcd/client.crt", "etcd-keyfile": tls + "etcd/client.key", "etcd-servers": "https://127.0.0.1:2379",
		"kubelet-certificate-authority": tls + "server-ca.crt", "kubelet-client-certificate": tls + "client-kube-apiserver.crt", "kubelet-client-key": tls + "client-kube-apiserver.key",
		"service-account-key-file": tls + "service.key", "secure-port": "6443",
		"service-cluster-ip-range": p.keys.text("service-cidr", "10.43.0.0/16"), "service-node-port-range": p.keys.text("service-node-port-range", "30000-32767"),
	}
	if p.Product == "rke2" {
		f["admission-control-config-file"] = p.keys.text("pod-security-admission-config-file", "/etc/rancher/rke2/rke2-pss.yaml")
		if policy := p.keys.text("audit-policy-file", ""); policy != "" || p.cis() {
			f["audit-policy-file"] = p.keys.text("audit-policy-file", "/etc/rancher/rke2/audit-policy.yaml")
			f["audit-log-path"] = p.dataDir() + "/server/logs/audit.log"
			f["audit-log-maxage"], f["audit-log-maxbackup"], f["audit-log-maxsize"] = "30", "10", "100"
		}
		if p.cis() && p.version.SetsTokenExpiry() {
			f["service-account-extend-token-expiration"] = "false"
		}
	}
	return f.with(p.keys.list("kube-apiserver-arg"))
}

// staticPods are RKE2's six, by the name of their program.
func (p *Program) staticPods() map[string]flags {
	cred, tls := p.dataDir()+"/server/cred/", p.dataDir()+"/server/tls/"
	return map[string]flags{
		"etcd":           flags{"config-file": p.dataDir() + "/server/db/etcd/config"}.with(p.keys.list("etcd-arg")),
		"kube-apiserver": p.apiServer(),
		"kube-controller-manager": flags{"profiling": "false", "bind-address": "127.0.0.1", "use-service-account-credentials": "true",
			"kubeconfig": cred + "controller.kubeconfig", "root-ca-file": tls + "server-ca.crt", "service-account-private-key-file": tls + "service.current.key",
			"cluster-cidr": p.keys.text("cluster-cidr", "10.42.0.0/16")}.with(p.keys.list("kube-controller-manager-arg")),
		"kube-scheduler": flags{"profiling": "false", "bind-address": "127.0.0.1", "kubeconfig": cred + "scheduler.kubeconfig"}.
			with(p.keys.list("kube-scheduler-arg")),
		"cloud-controller-manager": flags{"profiling": "false", "bind-address": "127.0.0.1"}.with(p.keys.list("kube-cloud-controller-manager-arg")),
		"kube-proxy": flags{"kubeconfig": p.dataDir() + "/agent/kubeproxy.kubeconfig", "cluster-cidr": p.keys.text("cluster-cidr", "10.42.0.0/16")}.
			with(p.keys.list("kube-proxy-arg")),
	}
}

// kubelet is the kubelet's command line.
func (p *Program) kubelet() flags {
	agent := p.dataDir() + "/agent/"
	f := flags{"anonymous-auth": "false", "authorization-mode": "Webhook", "authentication-token-webhook": "true", "read-only-port": "0",
		"client-ca-file": agent + "client-ca.crt", "tls-cert-file": agent + "serving-kubelet.crt", "tls-private-key-file": agent + "serving-kubelet.key",
		"kubeconfig": agent + "kubelet.kubeconfig", "resolv-conf": p.keys.text("resolv-conf", agent+"etc/resolv.conf")}
	if p.keys.yes("protect-kernel-defaults") || p.cis() {
		f["protect-kernel-defaults"] = "true"
	}
	return f.with(p.keys.list("kubelet-arg"))
}
