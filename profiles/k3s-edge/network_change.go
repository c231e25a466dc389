package k3sedge

import (
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

// ChangeNetwork says what another network of this node takes. K3s's pod network is
// a part of its program, so that a restart takes another link up.
func (Profile) ChangeNetwork(in profiles.NetworkInput) (profiles.NetworkChange, error) {
	return node.ChangeNetwork(in, release.K3s, networkOf)
}

// networkOf is a node as far as its network is in its files.
func networkOf(in profiles.RenderInput) (node.Network, error) {
	c, err := choose(in.Enclave)
	if err != nil {
		return node.Network{}, err
	}
	n, err := nodeOf(in, c.Version)
	if err != nil {
		return node.Network{}, err
	}
	b, err := configOf(n, in)
	if err != nil {
		return node.Network{}, err
	}
	link, err := flannelLink(in)
	if err != nil {
		return node.Network{}, err
	}
	if link == "" && in.Answers.Network.Gateway == "" {
		link = spec.DummyLink // by the default route
	}
	out := node.Network{Node: n, Link: link}
	out.Config, err = n.ConfigFile(b)
	return out, err
}
