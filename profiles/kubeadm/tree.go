package kubeadm

import (
	"embed"
	"strings"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/spec"
)

// tree holds the node's files: all/ for every node, control-plane/ and worker/
// for the role, each below its real path.
//
//go:embed all:tree
var tree embed.FS

// treeOf is the files of a node: those of every profile's, and those of the
// role, templates filled in.
func treeOf(a spec.Answers, val values) ([]images.ServiceFile, error) {
	out, err := val.Files(a.Network)
	if err != nil {
		return nil, err
	}
	const podResolv = "/etc/kubernetes/resolv.conf"
	resolv, err := val.PodResolv()
	if err != nil {
		return nil, err
	}
	out = append(out, images.ServiceFile{Path: podResolv, Mode: modeOf(podResolv), Data: resolv})
	part := "control-plane"
	if a.Role == spec.Worker {
		part = "worker"
	} else {
		const policy = "/etc/kubernetes/apiserver/audit-policy.yaml"
		out = append(out, images.ServiceFile{Path: policy, Mode: modeOf(policy), Data: host.AuditPolicy})
	}
	for _, root := range []string{"tree/all", "tree/" + part} {
		files, err := host.Tree(tree, root, val, modeOf)
		if err != nil {
			return nil, err
		}
		out = append(out, files...)
	}
	return out, nil
}

// private are the places whose files the CIS benchmark wants readable by root
// alone: Kubernetes' own (1.1, 4.1), CNI's (1.1.9), the kubelet's unit (4.1.1).
var private = []string{"/etc/kubernetes/", "/etc/cni/net.d/", "/etc/systemd/system/kubelet.service"}

func modeOf(path string) uint32 {
	for _, p := range private {
		if strings.HasPrefix(path, p) {
			return 0o600
		}
	}
	return 0o644
}
