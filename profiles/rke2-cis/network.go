package rke2cis

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

// podNetworkPath is the file of it on the first server.
var podNetworkPath = node.Manifests(release.RKE2) + "/caisson-pod-network.yaml"

// podNetwork is what the chart of the pod network is told where the default route
// does not lead to the other nodes: on a node without a gateway it ends at a dummy
// link (package host). All nodes take it from the first server, so that it must
// hold for each (rke2-docs docs/networking/basic_network_options.md).
type podNetwork struct {
	Chart     string
	Addresses string // an expression for the nodes' own
}

// chartOf is the chart that takes a link by the default route (canal, flannel:
// flannel pkg/ipmatch/match.go) or the first that it finds (calico). Cilium
// sends to a node's address by the kernel's own routes.
func chartOf(e spec.Enclave) string {
	for _, cni := range []string{"canal", "flannel", "calico"} {
		if slices.Contains(e.Kubernetes.CNI, cni) {
			return "rke2-" + cni
		}
	}
	return ""
}

// closedRoster tells whether the roster has a node without a gateway. One without
// an address has both from the answers.
func closedRoster(e spec.Enclave) bool {
	return slices.ContainsFunc(e.Nodes, func(n spec.Node) bool { return n.Network.Address != "" && n.Network.Gateway == "" })
}

// networkFiles is the pod network's part of the first server: none where each node
// has a gateway. Another node is refused if what the first server says, which is
// known from the roster alone, is not right for it.
func networkFiles(n node.Node, in profiles.RenderInput) ([]images.ServiceFile, error) {
	e, own := in.Enclave, in.Answers.Network
	chart, closed := chartOf(e), closedRoster(e)
	if chart == "" {
		return nil, nil
	}
	addresses := rosterAddresses(e)
	switch {
	case n.Role == config.First && (closed || own.Gateway == ""):
		// flannel compares it with each address of each link (regexIface since
		// rke2-charts pull request 362).
		addresses = append(addresses, n.Address)
		slices.Sort(addresses)
		expression := "^(" + strings.ReplaceAll(regexp.QuoteMeta(strings.Join(slices.Compact(addresses), " ")), " ", "|") + ")$"
		return host.Tree(tree, "tree/network", podNetwork{chart, expression}, func(string) uint32 { return 0o600 })
	case n.Role == config.First:
		return nil, nil
	case own.Gateway == "" && !closed:
		return nil, host.Unusable("network.gateway", "", "one, as each node of the roster has: else the first server does not tell the pod network which link to take")
	case closed && chart != "rke2-calico" && !slices.Contains(addresses, n.Address):
		return nil, host.Unusable("network.address", n.Address, "one of the roster's ("+strings.Join(addresses, ", ")+"): in a cluster without gateways the pod network finds its link by these")
	}
	return nil, nil
}

// rosterAddresses are the nodes' own, without the length of their networks.
func rosterAddresses(e spec.Enclave) []string {
	var out []string
	for _, n := range e.Nodes {
		if a, _, ok := strings.Cut(n.Network.Address, "/"); ok {
			out = append(out, a)
		}
	}
	return out
}

// CheckManifests refuses carried objects that would do nothing, or harm.
func (Profile) CheckManifests(e spec.Enclave, objects []profiles.Object) error {
	errs := []error{node.CheckManifests(e, objects)}
	for _, o := range objects {
		if chart := chartOf(e); o.Kind == "HelmChartConfig" && o.Name == chart && o.Namespace == "kube-system" && closedRoster(e) {
			errs = append(errs, ChartTaken.New("cannot use manifest %s: have HelmChartConfig kube-system/%s, need it left to the profile, which writes it where the roster has a node without a gateway", o.File, chart).
				Hint("give each node of the roster a gateway, or leave the manifest out"))
		}
	}
	return errors.Join(errs...)
}
