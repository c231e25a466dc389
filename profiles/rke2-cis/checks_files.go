package rke2cis

import (
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
)

// Section 1.1: files of the control plane.
func serverFiles(benchmark string) []profiles.Check {
	line, mode, owner := check.Of, check.Mode, check.Owner
	const cni, etcd, cred, tls = "/etc/cni/net.d/*?", server + "db/etcd", server + "cred/", server + "tls/"
	const admin = "/etc/rancher/rke2/rke2.yaml"
	return []profiles.Check{
		line("1.1.1", "The API server's pod file is readable by root alone", mode(0o600, manifests+"kube-apiserver.yaml")),
		line("1.1.2", "The API server's pod file belongs to root", owner(manifests+"kube-apiserver.yaml")),
		line("1.1.3", "The controller manager's pod file is readable by root alone", mode(0o600, manifests+"kube-controller-manager.yaml")),
		line("1.1.4", "The controller manager's pod file belongs to root", owner(manifests+"kube-controller-manager.yaml")),
		line("1.1.5", "The scheduler's pod file is readable by root alone", mode(0o600, manifests+"kube-scheduler.yaml")),
		line("1.1.6", "The scheduler's pod file belongs to root", owner(manifests+"kube-scheduler.yaml")),
		line("1.1.7", "etcd's pod file is readable by root alone", mode(0o600, manifests+"etcd.yaml")),
		line("1.1.8", "etcd's pod file belongs to root", owner(manifests+"etcd.yaml")),
		line("1.1.9", "The pod network's files are readable by root alone", mode(0o600, cni)),
		line("1.1.10", "The pod network's files belong to root", owner(cni)),
		line("1.1.11", "etcd's data folder is closed to others", mode(0o700, etcd)),
		line("1.1.12", "etcd's data folder belongs to etcd's own user", check.OwnerID(etcdID, "owner etcd:etcd", etcd)),
		line("1.1.13", "The administrator's credentials are readable by root alone", mode(0o600, admin, cred+"admin.kubeconfig")),
		line("1.1.14", "The administrator's credentials belong to root", owner(admin, cred+"admin.kubeconfig")),
		line("1.1.15", "The scheduler's credentials are readable by root alone", mode(0o600, cred+"scheduler.kubeconfig")),
		line("1.1.16", "The scheduler's credentials belong to root", owner(cred+"scheduler.kubeconfig")),
		line("1.1.17", "The controller manager's credentials are readable by root alone", mode(0o600, cred+"controller.kubeconfig")),
		line("1.1.18", "The controller manager's credentials belong to root", owner(cred+"controller.kubeconfig")),
		// etcd's own lie beneath, and belong to its user.
		line("1.1.19", "The cluster's certificates and keys belong to root", owner(server+"tls", tls+"*.crt", tls+"*.key")),
		line("1.1.20", "Certificates are closed to others, or cannot be written by them", check.Certificates(benchmark, tls+"*.crt", tls+"etcd/*.crt")),
		line("1.1.21", "Private keys are readable by their owner alone", mode(0o600, tls+"*.key", tls+"etcd/*.key")),
		line("C.3", "The tokens are readable by root alone", mode(0o600, server+"token", "/etc/rancher/rke2/token?", "/etc/rancher/rke2/agent-token?")),
	}
}

// Section 4.1: files of every node.
func nodeFiles(benchmark string) []profiles.Check {
	line, mode, owner := check.Of, check.Mode, check.Owner
	const own = "/etc/rancher/rke2/"
	return []profiles.Check{
		line("4.1.1", "The kubelet's service files are readable by root alone", noUnit),
		line("4.1.2", "The kubelet's service files belong to root", noUnit),
		line("4.1.3", "kube-proxy's credentials are readable by root alone", mode(0o600, agent+"kubeproxy.kubeconfig")),
		line("4.1.4", "kube-proxy's credentials belong to root", owner(agent+"kubeproxy.kubeconfig")),
		line("4.1.5", "The kubelet's credentials are readable by root alone", mode(0o600, agent+"kubelet.kubeconfig")),
		line("4.1.6", "The kubelet's credentials belong to root", owner(agent+"kubelet.kubeconfig")),
		line("4.1.7", "The CA that clients are checked with is closed to others, or cannot be written by them", check.Certificates(benchmark, agent+"client-ca.crt")),
		line("4.1.8", "The CA that clients are checked with belongs to root", owner(agent+"client-ca.crt")),
		line("4.1.9", "The kubelet's configuration is readable by root alone", mode(0o600, agent+"etc/kubelet.conf.d/*?")),
		line("4.1.10", "The kubelet's configuration belongs to root", owner(agent+"etc/kubelet.conf.d/*?")),
		line("C.4", "RKE2's own configuration is readable by root alone", mode(0o600, own+"config.yaml", own+"registries.yaml", own+"join-token?")),
		line("C.5", "RKE2's own configuration belongs to root", owner(own+"config.yaml", own+"registries.yaml", own+"join-token?")),
	}
}

// noUnit: RKE2 starts the kubelet itself.
func noUnit(string) profiles.Result {
	return profiles.Result{Status: check.NotApplicable, Have: "no unit: RKE2 starts the kubelet itself", Want: "mode 0600, owner root:root"}
}
