package kubeadm

import (
	"fmt"
	"net/netip"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
)

// nodeMaskBits is the size of a node's part of the pod network, the default of
// kube-controller-manager's --node-cidr-mask-size for IPv4. It gives the parts
// out in order, so the node that makes the cluster has the first; check C.15
// holds that against the cluster. Which part a later node gets is known only
// once it has joined.
const nodeMaskBits = 24

// valuesOf is all that the templates insert.
func valuesOf(in profiles.RenderInput, v versions) (values, error) {
	node, err := host.Of(in)
	if err != nil {
		return values{}, err
	}
	val := values{
		Node: node, Kubernetes: v.kubernetes, CoreDNSTag: v.coredns, EtcdTag: v.etcd,
		PauseImage: v.pauseImage(), CertsDir: images.CertsDir, CipherSuites: cipherSuites,
	}
	if val.Given = in.Enclave.Secrets.Sealed != ""; val.Given {
		val.Leaves = leaves()
	}
	// AuthenticationConfiguration is v1 since 1.34, and v1beta1 before; its
	// anonymous field was alpha in 1.31 and is on by default since 1.32.
	val.AuthenticationAPI, val.AnonymousGate = "v1", v.minor == 31
	if v.minor < 34 {
		val.AuthenticationAPI = "v1beta1"
	}
	pods := netip.MustParsePrefix(val.PodCIDR) // host.Of parsed it
	if pods.Bits() > nodeMaskBits {
		return values{}, host.Unusable("network.podCIDR", val.PodCIDR, fmt.Sprintf("a network of /%d or larger", nodeMaskBits))
	}
	val.NodePodCIDR = netip.PrefixFrom(pods.Addr(), nodeMaskBits).String()
	return val, nil
}
