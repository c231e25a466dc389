// Package host renders what every profile's node has of its own, whatever runs
// Kubernetes on it: its name, network, resolver, time servers, users, what
// Kubernetes needs of the kernel, and the kernel's hardening. Profiles put their
// own files beside (Tree) and make one Ignition config of all (Config).
//
// It is pure, and knows no distribution of Kubernetes. The profiles stand above
// it. The folder tree looks like the node.
package host

import (
	"net/netip"
	"regexp"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// noResolver is a name server that is nobody's (RFC 5737, TEST-NET-1). The node
// has an unreachable route to it: see pod-resolv.conf.tmpl.
const noResolver = "192.0.2.53"

// hostForm is an RFC 1123 name of labels, or an IPv4 address. It keeps a value
// from being more than one word in the file it is inserted into.
var hostForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

// nodeForm is a Kubernetes node name: an RFC 1123 label or labels, lower case.
var nodeForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$`)

// Node is what templates insert of the node itself. Each value is one word of
// the right kind, whoever wrote it: only Of makes one.
type Node struct {
	Name, Address        string // Address is "" under DHCP
	Cluster              string
	PodCIDR, ServiceCIDR string
	DNS, NTP             []string
	NoResolver           string
	// LoosePaths leaves the reverse path filter to the pod network.
	LoosePaths bool
	// Insists gives a node without a gateway the default route to nowhere that
	// software insists on.
	Insists bool
}

// Of checks what is inserted into files.
func Of(in profiles.RenderInput) (Node, error) {
	e, a := in.Enclave, in.Answers
	n := Node{
		Name: a.Name, Cluster: e.Metadata.Name, PodCIDR: e.Network.PodCIDR, ServiceCIDR: e.Network.ServiceCIDR,
		DNS: a.Resolvers(e), NTP: a.TimeServers(e), NoResolver: noResolver,
	}
	if a.Role != spec.ControlPlane && a.Role != spec.Worker {
		return Node{}, Unusable("role", a.Role, spec.ControlPlane+" or "+spec.Worker)
	}
	if !nodeForm.MatchString(a.Name) {
		return Node{}, Unusable("name", a.Name, "a lower-case host name")
	}
	if !nodeForm.MatchString(e.Metadata.Name) {
		return Node{}, Unusable("metadata.name", e.Metadata.Name, "a lower-case name")
	}
	if a.Network.Address != "" {
		p, err := netip.ParsePrefix(a.Network.Address)
		if err != nil || !p.Addr().Is4() {
			return Node{}, Unusable("network.address", a.Network.Address, "an IPv4 address with its prefix length, as in 10.20.0.11/24")
		}
		n.Address = p.Addr().String()
	}
	for field, cidr := range map[string]string{"network.podCIDR": n.PodCIDR, "network.serviceCIDR": n.ServiceCIDR} {
		if p, err := netip.ParsePrefix(cidr); err != nil || !p.Addr().Is4() || p.Masked() != p {
			return Node{}, Unusable(field, cidr, "an IPv4 network, as in 10.42.0.0/16")
		}
	}
	for _, s := range n.DNS {
		if _, err := netip.ParseAddr(s); err != nil {
			return Node{}, Unusable("network.dns", s, "an IP address")
		}
	}
	for _, s := range n.NTP {
		if _, err := netip.ParseAddr(s); err != nil && !hostForm.MatchString(s) {
			return Node{}, Unusable("time.ntp", s, "a host name or an IP address")
		}
	}
	return n, nil
}

// Files are the node's own files and those of its network.
func (n Node) Files(network spec.NodeNetwork) ([]images.ServiceFile, error) {
	files, err := Tree(own, "tree", n, func(string) uint32 { return 0o644 })
	if err != nil {
		return nil, err
	}
	links, err := networkFiles(network, n)
	return append(files, links...), err
}

// PodResolv is the resolv.conf for pods: it always names a resolver, so that
// nobody falls back to one of their own choice.
func (n Node) PodResolv() ([]byte, error) { return fill("pod-resolv.conf", podResolv, n) }

// Units are enabled on every node.
func (n Node) Units(registry images.Service) []string {
	out := []string{"systemd-networkd.service", "systemd-networkd-wait-online.service"}
	if registry.Unit != "" {
		out = append(out, registry.Unit)
	}
	if len(n.NTP) > 0 {
		out = append(out, "systemd-timesyncd.service")
	}
	return out
}

// Unusable is RENDER-INCOMPLETE for a field.
func Unusable(field, have, need string) error {
	return RenderIncomplete.New("cannot render the node's configuration: %s is %q, need %s", field, have, need).
		Hint("the value comes from the Spec, the roster, an answer file or the installer's screens; correct it there")
}
