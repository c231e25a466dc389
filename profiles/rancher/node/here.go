package node

import (
	"context"
	"os"

	"caisson.dev/caisson/profiles/cluster"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

// Here is the node that the program runs on, as a part of a profile: what
// profiles.Profile, Deployer, NetworkCarrier and Certified ask of a live node.
type Here struct {
	Root    string // "/" on a node, a tree in tests
	Product release.Product
	// Parts are the static pods that a server must run, by their component label.
	Parts []string
}

// Live is the node under its host's name.
func (h Here) Live() (*Live, error) {
	name, err := os.Hostname()
	return &Live{Root: h.Root, Product: h.Product, Node: name, Parts: h.Parts}, err
}

// Unit is the unit that runs Kubernetes on a node of the role.
func (h Here) Unit(role string) string {
	n := Node{Version: release.Version{Product: h.Product}}
	if role == spec.Worker {
		n.Role = config.Agent
	}
	return n.Unit()
}

// Connect opens the cluster as its administrator.
func (h Here) Connect() (*cluster.API, error) {
	return cluster.Connect(h.Root, AdminConf(h.Product))
}

// Ready waits until this node, and on a server its part of the control plane, is
// ready.
func (h Here) Ready(ctx context.Context, report func(string)) error {
	l, err := h.Live()
	if err != nil {
		return err
	}
	return l.Ready(ctx, report)
}

// Membership is what the cluster says of this node.
func (h Here) Membership(ctx context.Context) (string, bool) {
	l, err := h.Live()
	if err != nil {
		return err.Error(), false
	}
	return l.Membership(ctx)
}

// Certificates are where the product keeps those of a node.
func (h Here) Certificates() []string { return Certificates(h.Product) }

// CarryNetwork hands the manifests in dir to the product where the pod network is
// one of them.
func (h Here) CarryNetwork(dir string) error {
	l, err := h.Live()
	if err != nil {
		return err
	}
	return l.CarryNetwork(dir)
}

// ApplyManifests hands the manifests in dir to the product.
func (h Here) ApplyManifests(ctx context.Context, dir string, report func(string)) error {
	l, err := h.Live()
	if err != nil {
		return err
	}
	return l.ApplyManifests(ctx, dir, report)
}

// WaitWorkloads waits until what they run is ready.
func (h Here) WaitWorkloads(ctx context.Context, dir string, report func(string)) error {
	l, err := h.Live()
	if err != nil {
		return err
	}
	return l.WaitWorkloads(ctx, dir, report)
}
