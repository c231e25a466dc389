package rke2cis

import (
	"slices"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/release"
)

// ChangeNetwork says what another network of this node takes. RKE2's pod network
// is pods: no restart of RKE2 tells them of another link.
func (Profile) ChangeNetwork(in profiles.NetworkInput) (profiles.NetworkChange, error) {
	out, err := node.ChangeNetwork(in, release.RKE2, networkOf)
	if err != nil {
		return out, err
	}
	if a := in.Answers.Network; a.VLAN != in.New.VLAN || host.IP(a) != host.IP(in.New) {
		out.Notes = append(out.Notes, "The pods of the pod network on this node keep the old link and address until they are restarted. The simplest way is to restart this machine.")
	}
	if slices.ContainsFunc(out.Files, func(f profiles.FileChange) bool { return f.Path == podNetworkPath && f.New == nil }) {
		out.Notes = append(out.Notes, "The cluster keeps what the pod network was told of the nodes' addresses; it is still right.")
	}
	return out, nil
}

// networkOf is a node as far as its network is in its files.
func networkOf(in profiles.RenderInput) (node.Network, error) {
	n, err := nodeOf(in)
	if err != nil {
		return node.Network{}, err
	}
	out := node.Network{Node: n}
	if out.Config, err = n.ConfigFile(configOf(n, in)); err != nil {
		return out, err
	}
	out.Own, err = networkFiles(n, in)
	return out, err
}
