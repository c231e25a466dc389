package kubeadm

import (
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
)

const manifests = "/etc/kubernetes/manifests/"

func controlPlaneFiles(benchmark string) []line {
	return []line{
		{"1.1.1", "The API server's pod file is readable by root alone", mode(0o600, manifests+"kube-apiserver.yaml")},
		{"1.1.2", "The API server's pod file belongs to root", owner(manifests + "kube-apiserver.yaml")},
		{"1.1.3", "The controller manager's pod file is readable by root alone", mode(0o600, manifests+"kube-controller-manager.yaml")},
		{"1.1.4", "The controller manager's pod file belongs to root", owner(manifests + "kube-controller-manager.yaml")},
		{"1.1.5", "The scheduler's pod file is readable by root alone", mode(0o600, manifests+"kube-scheduler.yaml")},
		{"1.1.6", "The scheduler's pod file belongs to root", owner(manifests + "kube-scheduler.yaml")},
		{"1.1.7", "etcd's pod file is readable by root alone", mode(0o600, manifests+"etcd.yaml")},
		{"1.1.8", "etcd's pod file belongs to root", owner(manifests + "etcd.yaml")},
		{"1.1.9", "The pod network's files are readable by root alone", mode(0o600, "/etc/cni/net.d/*")},
		{"1.1.10", "The pod network's files belong to root", owner("/etc/cni/net.d/*")},
		{"1.1.11", "etcd's data folder is closed to others", mode(0o700, "/var/lib/etcd")},
		{"1.1.12", "etcd's data folder belongs to etcd's own user", etcdOwner},
		{"1.1.13", "The administrator's credentials are readable by root alone", mode(0o600, adminConf, "/etc/kubernetes/super-admin.conf?")},
		{"1.1.14", "The administrator's credentials belong to root", owner(adminConf, "/etc/kubernetes/super-admin.conf?")},
		{"1.1.15", "The scheduler's credentials are readable by root alone", mode(0o600, "/etc/kubernetes/scheduler.conf")},
		{"1.1.16", "The scheduler's credentials belong to root", owner("/etc/kubernetes/scheduler.conf")},
		{"1.1.17", "The controller manager's credentials are readable by root alone", mode(0o600, "/etc/kubernetes/controller-manager.conf")},
		{"1.1.18", "The controller manager's credentials belong to root", owner("/etc/kubernetes/controller-manager.conf")},
		{"1.1.19", "The cluster's certificates and keys belong to root", owner("/etc/kubernetes/pki/**")},
		{"1.1.20", "Certificates are closed to others, or cannot be written by them", check.Certificates(benchmark, "/etc/kubernetes/pki/*.crt", "/etc/kubernetes/pki/etcd/*.crt")},
		{"1.1.21", "Private keys are readable by root alone", mode(0o600, "/etc/kubernetes/pki/*.key", "/etc/kubernetes/pki/etcd/*.key")},
	}
}

// etcdOwner: kubeadm runs etcd as root in its own pod, so the folder is root's.
// That is not what the benchmark asks for, and a person has to accept it.
func etcdOwner(root string) profiles.Result {
	const want = "owner etcd:etcd"
	if r := owner("/var/lib/etcd")(root); r.Status != pass {
		return r
	}
	return profiles.Result{Status: manual, Have: "owner root:root: kubeadm runs etcd as root, in a container of its own", Want: want}
}

func nodeFiles(benchmark string) []line {
	const unit, dropIns = "/etc/systemd/system/kubelet.service", "/etc/systemd/system/kubelet.service.d/*"
	return []line{
		{"4.1.1", "The kubelet's service files are readable by root alone", mode(0o600, unit, dropIns)},
		{"4.1.2", "The kubelet's service files belong to root", owner(unit, dropIns)},
		{"4.1.5", "The kubelet's credentials are readable by root alone", mode(0o600, kubeletConf)},
		{"4.1.6", "The kubelet's credentials belong to root", owner(kubeletConf)},
		{"4.1.7", "The CA that clients are checked with is closed to others, or cannot be written by them", check.Certificates(benchmark, caCert)},
		{"4.1.8", "The CA that clients are checked with belongs to root", owner(caCert)},
		{"4.1.9", "The kubelet's configuration is readable by root alone", mode(0o600, kubeletConfig)},
		{"4.1.10", "The kubelet's configuration belongs to root", owner(kubeletConfig)},
	}
}
