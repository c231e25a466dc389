package kubeadm

import (
	"path"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// searchPath is set in every image: kubeadm's static pods name their program
// without its folder.
const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const binDir = "/usr/local/bin/"

// Recipes are the seven images of a kubeadm cluster, under the references that
// kubeadm and the kubelet ask for. Each holds one program and nothing else;
// kube-proxy's also holds nft.
func (Profile) Recipes(e spec.Enclave) ([]images.Recipe, error) {
	v, err := versionsOf(e)
	if err != nil {
		return nil, err
	}
	var out []images.Recipe
	for _, name := range []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
		out = append(out, program(v.component(name), wantKubernetes+"/"+name, binDir+name))
	}
	proxy := program(v.component("kube-proxy"), wantKubernetes+"/kube-proxy", binDir+"kube-proxy")
	proxy.Layers = append([]images.Layer{{Packages: wantNFT}}, proxy.Layers...)
	// CoreDNS runs as nobody: containerd lets pods bind low ports without a
	// capability (enable_unprivileged_ports in its configuration).
	coredns := program(v.corednsImage(), wantCoreDNS+"/coredns", "/coredns")
	coredns.User = "65532:65532"
	pause := program(v.pauseImage(), pauseArtifact, "/pause")
	pause.User = "65535:65535" // as upstream's
	return append(out, proxy, program(v.etcdImage(), wantEtcd+"/etcd", binDir+"etcd"), coredns, pause), nil
}

// program is an image of one static program.
func program(ref, artifact, path string) images.Recipe {
	return images.Recipe{
		Ref:        ref,
		Layers:     []images.Layer{{Files: []images.LayerFile{{Artifact: artifact, Path: path, Mode: 0o755}}}},
		Entrypoint: []string{path},
		Env:        []string{searchPath},
		User:       "0",
	}
}

// Payload is the node's own programs.
func (Profile) Payload(e spec.Enclave) ([]profiles.PayloadFile, error) {
	if _, err := versionsOf(e); err != nil {
		return nil, err
	}
	var out []profiles.PayloadFile
	for _, artifact := range []string{
		wantKubernetes + "/kubelet", wantKubernetes + "/kubeadm", wantKubernetes + "/kubectl",
		wantContainerd + "/containerd", wantContainerd + "/containerd-shim-runc-v2", wantContainerd + "/runc",
		wantEtcd + "/etcdctl",
	} {
		out = append(out, profiles.PayloadFile{Artifact: artifact, Path: binDir + path.Base(artifact), Mode: 0o755})
	}
	for _, p := range plugins {
		name := path.Base(p)
		out = append(out, profiles.PayloadFile{Artifact: wantCNI + "/" + name, Path: "/opt/cni/bin/" + name, Mode: 0o755})
	}
	return out, nil
}
