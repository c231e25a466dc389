package kubeadm

import (
	"fmt"
	"net/netip"
	"regexp"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// hostForm is an RFC 1123 name of labels, or an IPv4 address. It keeps a value
// from being more than one word in the file it is inserted into.
var hostForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

// nodeForm is a Kubernetes node name: an RFC 1123 label or labels, lower case.
var nodeForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$`)

// nodeMaskBits is the size of a node's part of the pod network, the default of
// kube-controller-manager's --node-cidr-mask-size for IPv4. It gives the parts
// out in order, so the node that makes the cluster has the first; check C.15
// holds that against the cluster. Which part a later node gets is known only
// once it has joined.
const nodeMaskBits = 24

// valuesOf checks what is inserted into templates: each value must be one word
// of the right kind, whoever wrote it.
func valuesOf(in profiles.RenderInput, v versions) (values, error) {
	e, a := in.Enclave, in.Answers
	val := values{
		Name: a.Name, Cluster: e.Metadata.Name, Kubernetes: v.kubernetes,
		PodCIDR: e.Network.PodCIDR, ServiceCIDR: e.Network.ServiceCIDR,
		CoreDNSTag: v.coredns, EtcdTag: v.etcd,
		PauseImage: v.pauseImage(), CertsDir: images.CertsDir, CipherSuites: cipherSuites,
		DNS: a.Resolvers(e), NTP: a.TimeServers(e), NoResolver: noResolver,
	}
	if val.Given = e.Secrets.Sealed != ""; val.Given {
		val.Leaves = leaves()
	}
	val.needsUnreachableRoute = len(val.DNS) == 0
	// AuthenticationConfiguration is v1 since 1.34, and v1beta1 before; its
	// anonymous field was alpha in 1.31 and is on by default since 1.32.
	val.AuthenticationAPI, val.AnonymousGate = "v1", v.minor == 31
	if v.minor < 34 {
		val.AuthenticationAPI = "v1beta1"
	}
	if a.Role != spec.ControlPlane && a.Role != spec.Worker {
		return values{}, unusable("role", a.Role, spec.ControlPlane+" or "+spec.Worker)
	}
	if !nodeForm.MatchString(a.Name) {
		return values{}, unusable("name", a.Name, "a lower-case host name")
	}
	if !nodeForm.MatchString(e.Metadata.Name) {
		return values{}, unusable("metadata.name", e.Metadata.Name, "a lower-case name")
	}
	if a.Network.Address != "" {
		p, err := netip.ParsePrefix(a.Network.Address)
		if err != nil || !p.Addr().Is4() {
			return values{}, unusable("network.address", a.Network.Address, "an IPv4 address with its prefix length, as in 10.20.0.11/24")
		}
		val.Address = p.Addr().String()
	}
	for field, cidr := range map[string]string{"network.podCIDR": val.PodCIDR, "network.serviceCIDR": val.ServiceCIDR} {
		if p, err := netip.ParsePrefix(cidr); err != nil || !p.Addr().Is4() || p.Masked() != p {
			return values{}, unusable(field, cidr, "an IPv4 network, as in 10.42.0.0/16")
		}
	}
	pods := netip.MustParsePrefix(val.PodCIDR)
	if pods.Bits() > nodeMaskBits {
		return values{}, unusable("network.podCIDR", val.PodCIDR, fmt.Sprintf("a network of /%d or larger", nodeMaskBits))
	}
	val.NodePodCIDR = netip.PrefixFrom(pods.Addr(), nodeMaskBits).String()
	for _, s := range val.DNS {
		if _, err := netip.ParseAddr(s); err != nil {
			return values{}, unusable("network.dns", s, "an IP address")
		}
	}
	for _, s := range val.NTP {
		if _, err := netip.ParseAddr(s); err != nil && !hostForm.MatchString(s) {
			return values{}, unusable("time.ntp", s, "a host name or an IP address")
		}
	}
	return val, nil
}

func unusable(field, have, need string) error {
	return RenderIncomplete.New("cannot render the node's configuration: %s is %q, need %s", field, have, need).
		Hint("the value comes from the Spec, the roster, an answer file or the installer's screens; correct it there")
}
