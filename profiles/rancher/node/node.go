// Package node renders what the nodes of RKE2 and of K3s have in common: who
// starts the cluster and who joins it, the keys of config.yaml that both take,
// registries.yaml, the resolver for pods, what stands beside the vendor's unit,
// and the CAs and tokens that are made beforehand. On the live node it looks,
// before each start, at all on which a start would fail or leave the enclave's
// rules, and sets certificates aside that ran out (Prepare).
//
// Rendering and MakeSecrets' form are the same for both products; what is one's
// alone is in its profile: rke2cis, k3sedge. What the vendor's programs do was
// read in their sources, which the comments name.
package node

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strings"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

// Node is one node of a cluster.
type Node struct {
	host.Node
	Version release.Version
	Role    config.Role
	First   string // address of the server that starts the cluster
	Sealed  bool   // the installer brings the cluster's CAs and tokens
	in      profiles.RenderInput
}

// Of is the node that the input describes. It is refused without an address of
// its own, and if it is to join a cluster that it cannot join.
func Of(in profiles.RenderInput, v release.Version) (Node, error) {
	h, err := host.Of(in)
	if err != nil {
		return Node{}, err
	}
	h.Insists = true
	h.LoosePaths = slices.Contains(in.Enclave.Kubernetes.CNI, "cilium")
	n := Node{Node: h, Version: v, Sealed: in.Enclave.Secrets.Sealed != "", in: in}
	if h.Address == "" {
		return Node{}, host.Unusable("network.address", "", "an address of its own, as in 10.20.0.11/24: the cluster knows its nodes by it")
	}
	// A node of this name would be known by its neighbours' name, too.
	if strings.HasPrefix(h.Name, "localhost") {
		return Node{}, host.Unusable("name", h.Name, "a name that is this node's alone")
	}
	return n, n.place()
}

// place finds the node's part in the cluster. The first control-plane of the
// roster starts it; with none there, a control-plane starts its own.
func (n *Node) place() error {
	e, a := n.in.Enclave, n.in.Answers
	if first := starter(e); first != nil && a.Role == spec.ControlPlane && cmp.Or(a.Node, a.Name) == first.Name {
		at, err := netip.ParsePrefix(first.Network.Address)
		if len(e.Nodes) > 1 && err == nil && at.Addr().String() != n.Address {
			return NoServer.New("cannot set up %s: have the address %s, need %s, by which the other nodes join it", n.Name, n.Address, at.Addr()).
				Hint("the roster in the Spec is on every medium: change it there and build again")
		}
		n.Role, n.First = config.First, n.Address
		return nil
	}
	joins, err := Joins(e, a.Role, n.Name)
	switch {
	case err != nil:
		return err
	case joins == nil:
		n.Role, n.First = config.First, n.Address
		return nil
	}
	n.Role = config.Agent
	if a.Role == spec.ControlPlane {
		n.Role = config.Further
	}
	n.First = netip.MustParsePrefix(joins.Network.Address).Addr().String()
	return nil
}

// starter is the roster's node that starts the cluster, nil if it has none.
func starter(e spec.Enclave) *spec.Node {
	i := slices.IndexFunc(e.Nodes, func(n spec.Node) bool { return n.Role == spec.ControlPlane })
	if i < 0 {
		return nil
	}
	return &e.Nodes[i]
}

// Joins is the roster's node that a node joins which does not start the roster's
// cluster; nil if it starts one of its own. It can be joined: it has an address, and
// the medium brings tokens. An error says of the node by its name why it cannot be.
func Joins(e spec.Enclave, role, name string) (*spec.Node, error) {
	first := starter(e)
	if first == nil && role == spec.Worker {
		return nil, NoServer.New("cannot set up %s: have no %s in the roster, need the one that it joins", name, spec.ControlPlane).
			Hint("add it to nodes in the Spec, with its address")
	}
	if first == nil {
		return nil, nil
	}
	if _, err := netip.ParsePrefix(first.Network.Address); err != nil {
		return nil, NoServer.New("cannot set up %s: have no address of %s in the roster, need the one by which to join it", name, first.Name).
			Hint("set network.address of that entry")
	}
	if e.Secrets.Sealed == "" {
		return nil, NoToken.New("cannot set up %s, which joins %s: have no secrets.sealed in the Spec, need the cluster's tokens, made beforehand", name, first.Name).
			Hint("caisson secrets makes them; or leave one %s in the roster, which needs none", spec.ControlPlane)
	}
	return first, nil
}

// Product is the vendor's product.
func (n Node) Product() config.Product { return config.Product(n.Version.Product) }

// Target is the node as config.yaml is checked for it.
func (n Node) Target() config.Target {
	return config.Target{Product: n.Product(), Role: n.Role, Version: n.Version.String()}
}

// KeepsImageCache tells whether unchanged archives are not imported again at each
// start. Releases that lose pins by it import them, which takes minutes on a slow
// disk; and so does K3s in every release: on an edge the kubelet removes what is
// not pinned when the disk fills.
func (n Node) KeepsImageCache() bool {
	return n.Version.Product != release.K3s && n.Version.HasImageCache()
}

// Server tells whether the node runs a part of the control plane.
func (n Node) Server() bool { return n.Role != config.Agent }

// Data is the product's folder on the state partition.
func Data(p release.Product) string { return "/var/lib/rancher/" + string(p) }

// Images is where the product looks for image archives.
func Images(p release.Product) string { return Data(p) + "/agent/images" }

// Etc is the product's folder of configuration.
func Etc(p release.Product) string { return "/etc/rancher/" + string(p) }

// Certificates are where the product keeps a node's certificates, on servers and
// agents; those in containerd's folders are not the node's.
func Certificates(p release.Product) []string {
	return []string{Data(p) + "/server/tls/*.crt", Data(p) + "/server/tls/*/*.crt", Data(p) + "/agent/*.crt"}
}

// Data is the product's folder on the state partition.
func (n Node) Data() string { return Data(n.Version.Product) }

// Etc is the product's folder of configuration.
func (n Node) Etc() string { return Etc(n.Version.Product) }

// Unit is the vendor's unit for the role.
func (n Node) Unit() string {
	switch {
	case n.Version.Product == release.RKE2 && n.Server():
		return "rke2-server.service"
	case n.Version.Product == release.RKE2:
		return "rke2-agent.service"
	case n.Server():
		return "k3s.service"
	}
	return "k3s-agent.service"
}

// JoinURL is where a node joins; "" for the one that starts the cluster.
func (n Node) JoinURL() string {
	if n.Role == config.First {
		return ""
	}
	return "https://" + net.JoinHostPort(n.First, Port(n.Version.Product))
}

// Port is where servers take those that join (rke2-docs and k3s-docs,
// installation requirements).
func Port(p release.Product) string {
	if p == release.K3s {
		return "6443"
	}
	return "9345"
}
