package kubeadm

import (
	"path"
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/nodeos"
	"caisson.dev/caisson/spec"
)

// Names of Wants. An artifact is named <Want>/<program>.
const (
	wantKubernetes = "kubernetes"
	wantEtcd       = "etcd"
	wantCoreDNS    = "coredns"
	wantCNI        = "cni"
	wantContainerd = "containerd"
	wantNFT        = "kubeadm/nft"

	// pauseArtifact is compiled beside caisson-node and handed over by the low
	// side: no Go module holds a pause program, and upstream's is C.
	pauseArtifact = "caisson/pause"
)

// components are the programs of k8s.io/kubernetes.
var components = []string{"kubelet", "kubeadm", "kubectl", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"}

// plugins are the CNI plugins that the conflist uses, with their folder below
// github.com/containernetworking/plugins/plugins.
var plugins = []string{"main/bridge", "main/loopback", "ipam/host-local", "meta/portmap"}

// Wants lists what the profile needs beyond node OS and registry.
func (Profile) Wants(e spec.Enclave) ([]bundle.Want, error) {
	v, err := versionsOf(e)
	if err != nil {
		return nil, err
	}
	return []bundle.Want{
		{Name: wantKubernetes, Module: kubernetesModule(v)},
		{Name: wantEtcd, Module: &bundle.ModuleWant{
			Path: "go.etcd.io/etcd/server/v3", Version: v.etcdModule(),
			Programs: map[string]string{"etcd": "go.etcd.io/etcd/server/v3", "etcdctl": "go.etcd.io/etcd/etcdctl/v3"},
			Also:     map[string]string{"go.etcd.io/etcd/etcdctl/v3": v.etcdModule()},
		}},
		{Name: wantCoreDNS, Module: &bundle.ModuleWant{
			Path: "github.com/coredns/coredns", Version: v.coredns,
			Programs: map[string]string{"coredns": "github.com/coredns/coredns"},
		}},
		{Name: wantCNI, Module: cniModule(v)},
		{Name: wantContainerd, Debian: containerdPackages(e)},
		{Name: wantNFT, Debian: nftPackages(e)},
	}, nil
}

// kubernetesModule stamps the version into the programs the way upstream's own
// build does; without it kubeadm and the kubelet call themselves v0.0.0-master
// and refuse to work with a released control plane.
func kubernetesModule(v versions) *bundle.ModuleWant {
	programs := map[string]string{}
	for _, c := range components {
		programs[c] = "k8s.io/kubernetes/cmd/" + c
	}
	minor, _, _ := strings.Cut(strings.TrimPrefix(v.kubernetes, "v1."), ".")
	var flags []string
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags = append(flags,
			"-X "+pkg+".gitVersion="+v.kubernetes,
			"-X "+pkg+".gitMajor=1",
			"-X "+pkg+".gitMinor="+minor,
			"-X "+pkg+".gitTreeState=clean")
	}
	return &bundle.ModuleWant{Path: "k8s.io/kubernetes", Version: v.kubernetes, Staging: v.staging(), Programs: programs, LDFlags: flags}
}

func cniModule(v versions) *bundle.ModuleWant {
	const module = "github.com/containernetworking/plugins"
	programs := map[string]string{}
	for _, p := range plugins {
		programs[path.Base(p)] = module + "/plugins/" + p
	}
	return &bundle.ModuleWant{Path: module, Version: v.cni, Programs: programs}
}

// containerdPackages takes four programs out of two packages. What they link
// (libc, libseccomp2) is in the node OS. The rest of the packages (ctr, the
// version 1 shim, units) is left behind.
func containerdPackages(e spec.Enclave) *bundle.DebianWant {
	w := nodeos.Debian(e.OS)
	w.Packages, w.NoDeps = []string{"containerd", "runc"}, true
	w.Extract = map[string]string{
		"containerd":              "/usr/bin/containerd",
		"containerd-shim-runc-v2": "/usr/bin/containerd-shim-runc-v2",
		"runc":                    "/usr/sbin/runc",
	}
	return &w
}

// nftPackages is nft with the libraries it needs: a layer of kube-proxy's image.
func nftPackages(e spec.Enclave) *bundle.DebianWant {
	w := nodeos.Debian(e.OS)
	w.Packages = []string{"nftables"}
	return &w
}
