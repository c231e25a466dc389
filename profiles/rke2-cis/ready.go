package rke2cis

import (
	"context"
	"os"

	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/release"
)

// parts are the static pods of a server, by their component label (rke2
// pkg/podtemplate).
var parts = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}

// here is the node that the program runs on.
func (p Profile) here() (*node.Live, error) {
	name, err := os.Hostname()
	return &node.Live{Root: p.root, Product: release.RKE2, Node: name, Parts: parts}, err
}

// Ready waits until this node, and on a server its part of the control plane, is
// ready.
func (p Profile) Ready(ctx context.Context, report func(string)) error {
	l, err := p.here()
	if err != nil {
		return err
	}
	return l.Ready(ctx, report)
}

// Membership is what the cluster says of this node.
func (p Profile) Membership(ctx context.Context) (string, bool) {
	l, err := p.here()
	if err != nil {
		return err.Error(), false
	}
	return l.Membership(ctx)
}

// Certificates are where RKE2 keeps those of a node.
func (Profile) Certificates() []string { return node.Certificates(release.RKE2) }

// CarryNetwork hands the manifests in dir to RKE2 where the pod network is one of
// them.
func (p Profile) CarryNetwork(dir string) error {
	l, err := p.here()
	if err != nil {
		return err
	}
	return l.CarryNetwork(dir)
}

// ApplyManifests hands the manifests in dir to RKE2.
func (p Profile) ApplyManifests(ctx context.Context, dir string, report func(string)) error {
	l, err := p.here()
	if err != nil {
		return err
	}
	return l.ApplyManifests(ctx, dir, report)
}

// WaitWorkloads waits until what they run is ready.
func (p Profile) WaitWorkloads(ctx context.Context, dir string, report func(string)) error {
	l, err := p.here()
	if err != nil {
		return err
	}
	return l.WaitWorkloads(ctx, dir, report)
}
