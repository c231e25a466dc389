package node

import (
	"slices"
	"strings"

	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

// CipherSuites are the TLS 1.2 suites with forward secrecy and authenticated
// encryption that the CIS benchmark lists for the kubelet (4.2.12). TLS 1.3
// suites cannot be chosen in Go.
var CipherSuites = strings.Join([]string{
	"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
	"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
}, ",")

// KubeletArgs are what both products' kubelets are told beside their own
// defaults, which turn anonymous access and the read-only port off and ask the
// API server whether somebody may do something (k3s pkg/daemons/agent).
func KubeletArgs(p release.Product) []string {
	// An image of an archive that is gone cannot be had again before the next
	// start. 100 turns the collection of images off (kubelet's reference).
	images := []string{"image-gc-high-threshold=100"}
	if p == release.K3s {
		// The edge's small disk needs it; it never removes pinned images, and what
		// was in an archive stays pinned as long as there is no import cache.
		images = []string{"image-gc-high-threshold=80", "image-gc-low-threshold=75"}
	}
	return append(images,
		"pod-max-pids=4096",
		"seccomp-default=true",
		"streaming-connection-idle-timeout=5m",
		"tls-cipher-suites="+CipherSuites,
		"tls-min-version=VersionTLS12",
	)
}

// Config begins the node's config.yaml with what both products take.
func (n Node) Config() *config.Builder {
	b := config.New(n.Target()).
		String("node-name", n.Name).
		List("node-ip", n.Address).
		String("resolv-conf", n.Etc()+"/resolv.conf").
		String("server", n.JoinURL()).
		// No image from a registry of its own, ever (rke2-docs
		// docs/install/private_registry.md).
		Bool("disable-default-registry-endpoint", true).
		Bool("protect-kernel-defaults", true).
		List("kubelet-arg", KubeletArgs(n.Version.Product)...)
	switch {
	case n.Sealed && n.Server():
		b.String("token-file", n.Etc()+"/"+ServerToken).String("agent-token-file", n.Etc()+"/"+AgentToken)
	case n.Sealed:
		b.String("token-file", n.Etc()+"/"+JoinToken)
	}
	if !n.Server() {
		return b
	}
	b.List("cluster-cidr", n.PodCIDR).
		List("service-cidr", n.ServiceCIDR).
		List("tls-san", n.names()...).
		// As text: 0600 as a number is read as 384.
		String("write-kubeconfig-mode", "0600")
	if !n.Version.SetsTokenExpiry() {
		b.List("kube-apiserver-arg", "service-account-extend-token-expiration=false")
	}
	return b
}

// names are what the servers are called: each has them all, so that a node that
// knows one of them believes the next.
func (n Node) names() []string {
	out := []string{n.Name, n.Address}
	for _, e := range n.in.Enclave.Nodes {
		if e.Role != spec.ControlPlane {
			continue
		}
		address, _, _ := strings.Cut(e.Network.Address, "/")
		out = append(out, e.Name, address)
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(s string) bool { return s == "" })
}

// Extra is what the Spec adds to config.yaml.
func Extra(e spec.Enclave) config.Extra {
	if x := e.Kubernetes.Extra; x != nil {
		return config.Extra{Server: x.Server, Agent: x.Agent, Unchecked: x.Unchecked}
	}
	return config.Extra{}
}
