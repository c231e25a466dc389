// Package kubeadm is the profile that runs upstream Kubernetes, set up by
// kubeadm and hardened to the CIS Kubernetes Benchmark. Its programs are
// compiled from checksummed Go modules; containerd, runc and nft come out of
// Debian packages.
//
// The folder tree looks like the node: static files under their real paths,
// templates (*.tmpl) only where a value is inserted; render.go says which. The
// rest is Wants, Recipes and MakeSecrets (low side), Render (both sides), and on
// the live node Keys, Ready, ApplyManifests and Checks.
//
// It leaves out high availability and the joining of workers by itself: a
// worker is rendered, and waits for the discovery file that lets it join; its
// part of the pod network, known only then, is not set up either.
package kubeadm

import (
	"context"
	"net"

	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// Profile is the kubeadm profile. The zero value is ready to use on a node;
// root is "/" there and a tree in tests.
type Profile struct {
	root string
	// dial reaches the node's services for Checks; nil is the network, tests put
	// their own servers in its place.
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// The contract, checked by the compiler.
var (
	_ profiles.Profile     = Profile{}
	_ profiles.SecretMaker = Profile{}
	_ profiles.KeyMaker    = Profile{}
	_ profiles.Deployer    = Profile{}
	_ profiles.Benchmarked = Profile{}
	_ profiles.Certified   = Profile{}
)

// New is the profile as a node and the low side use it.
func New() Profile { return Profile{root: "/"} }

// Name is "kubeadm".
func (Profile) Name() string { return "kubeadm" }

// Certificates are where kubeadm and the kubelet keep those of a node.
func (Profile) Certificates() []string {
	return []string{"/etc/kubernetes/pki/*.crt", "/etc/kubernetes/pki/*/*.crt", "/var/lib/kubelet/pki/*.crt", "/var/lib/kubelet/pki/*.pem"}
}

// Needs is the least machine: kubeadm itself refuses less than 2 CPUs and
// 1700 MB for a control plane. The disk is for etcd, logs, unpacked images and
// room for workloads' own data.
func (Profile) Needs(role string) profiles.Needs {
	if role == spec.Worker {
		return profiles.Needs{Memory: 1 * size.GiB, Disk: 6 * size.GiB, CPUs: 1}
	}
	return profiles.Needs{Memory: 2 * size.GiB, Disk: 8 * size.GiB, CPUs: 2}
}
