// Package k3sedge is the profile for the rugged edge: K3s on one box that is
// server and worker, and agents of it, hardened by K3s's own hardening guide.
// Its program and images are the vendor's release files.
//
// What K3s has in common with RKE2 is in profiles/rancher; the folder tree looks
// like the node. What the box relies on when its power is cut, on flash and with
// a full disk, is in docs/k3s-edge.md.
//
// It leaves out more than one server: an enclave that must lose a server and go
// on is for the profile rke2-cis.
package k3sedge

import (
	"path"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/rancher/archive"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/secrets"
	"caisson.dev/caisson/spec"
)

// Profile is the k3s-edge profile.
type Profile struct{ node.Here }

// The contract, checked by the compiler.
var (
	_ profiles.Profile        = Profile{}
	_ profiles.SecretMaker    = Profile{}
	_ profiles.SecretChooser  = Profile{}
	_ profiles.ArchiveJudge   = Profile{}
	_ profiles.ManifestJudge  = Profile{}
	_ profiles.Preparer       = Profile{}
	_ profiles.Deployer       = Profile{}
	_ profiles.NetworkCarrier = Profile{}
	_ profiles.Certified      = Profile{}
	_ profiles.NetworkChanger = Profile{}
)

// New is the profile as a node and the low side use it.
func New() Profile { return under("/") }

// under is the profile of a node whose tree is at root. Nothing of K3s's control
// plane is a pod.
func under(root string) Profile { return Profile{node.Here{Root: root, Product: release.K3s}} }

// Name is "k3s-edge".
func (Profile) Name() string { return spec.ProfileK3s }

// Needs is the least machine. K3s asks for 2 GB and two processors for a server
// and 512 MB and one for an agent (k3s-docs: installation/requirements). A server
// goes on a disk of 10 GiB with the usual release, an agent on one of 8 GiB. The
// sum for STATE, with a tenth left where the kubelet begins to evict:
//
//	both      2.5 GiB  an archive of 300 MiB unpacked, in containerd's store and again in its snapshots
//	          0.9 GiB  K3s's own programs, journal, ballast, containers' logs
//	          0.5 GiB  what pods write
//	a server  1.1 GiB  eleven audit logs of 100 MB
//	          0.7 GiB  etcd: its log, the database, snapshots
func (Profile) Needs(role string) profiles.Needs {
	if role == spec.Worker {
		return profiles.Needs{Memory: 1 * size.GiB, Disk: 4608 * size.MiB, CPUs: 1}
	}
	return profiles.Needs{Memory: 2 * size.GiB, Disk: 6656 * size.MiB, CPUs: 2}
}

// Where K3s keeps its own (k3s pkg/agent/config, pkg/daemons/control/deps).
var (
	configDir = node.Etc(release.K3s)
	dataDir   = node.Data(release.K3s)
	// imagesDir is where K3s looks for archives at each start. It pins what it
	// finds, so that no clearing of the disk removes it, and the pin lasts while the
	// archive lies there (k3s pkg/agent/containerd/containerd.go).
	imagesDir = node.Images(release.K3s)
)

const program = "/usr/local/bin/k3s"

// Wants are the release files. A roster that cannot work is refused here, at the
// desk.
func (Profile) Wants(e spec.Enclave) ([]bundle.Want, error) {
	c, err := choose(e)
	if err != nil {
		return nil, err
	}
	return c.Wants()
}

// CheckManifests refuses carried objects that would do nothing, or harm.
func (Profile) CheckManifests(e spec.Enclave, objects []profiles.Object) error {
	return node.CheckManifests(e, objects)
}

// Recipes: K3s's own images are in the archive, and none is made.
func (Profile) Recipes(e spec.Enclave) ([]images.Recipe, error) {
	_, err := choose(e)
	return nil, err
}

// CheckArchives demands that the archive holds what the vendor's list names.
func (Profile) CheckArchives(e spec.Enclave, file func(artifact string) (string, error)) error {
	c, err := choose(e)
	if err != nil {
		return err
	}
	return archive.CheckRelease(c, file)
}

// Payload is K3s's one program and the archive, under its vendor's name, with the
// vendor's checksum file for whoever looks at the node.
func (Profile) Payload(e spec.Enclave) ([]profiles.PayloadFile, error) {
	c, err := choose(e)
	if err != nil {
		return nil, err
	}
	files, err := c.Files()
	if err != nil {
		return nil, err
	}
	var out []profiles.PayloadFile
	for _, f := range files {
		to := profiles.PayloadFile{Artifact: c.Artifact(f)}
		switch f.Kind {
		case release.Program:
			to.Path, to.Mode = program, 0o755
		case release.Images:
			to.Path, to.Mode = path.Join(imagesDir, f.Name), 0o600
		case release.Checksums:
			to.Path, to.Mode = "/usr/local/share/k3s/"+f.Name, 0o644
		}
		out = append(out, to)
	}
	return out, nil
}

// MakeSecrets makes the cluster's CAs and tokens.
func (Profile) MakeSecrets(_ spec.Enclave, now time.Time) ([]secrets.File, error) {
	return node.MakeSecrets(release.K3s, now)
}

// Joins: a worker joins the one server. There is no second.
func (Profile) Joins(e spec.Enclave, role string) (*spec.Node, error) {
	for _, n := range e.Nodes {
		if role == spec.ControlPlane && n.Role == role {
			return nil, OneServer.New("cannot set up a new node: have the roster's %s as the one server, need no other", n.Name).
				Hint("choose %s, or a worker", n.Name)
		}
	}
	return node.Joins(e, role, "a new node")
}

// TakesSecrets: a server gets CAs and tokens, an agent its own token.
func (Profile) TakesSecrets(string) bool { return true }

// TakesSecret tells which of them a node gets.
func (Profile) TakesSecret(e spec.Enclave, a spec.Answers, path string) (bool, error) {
	c, err := choose(e)
	if err != nil {
		return false, err
	}
	n, err := nodeOf(profiles.RenderInput{Enclave: e, Answers: a}, c.Version)
	return err == nil && n.Takes(path), err
}

// Prepare looks at the node before each start of K3s.
func (Profile) Prepare(in profiles.PrepareInput) error {
	c, err := choose(in.Enclave)
	if err != nil {
		return err
	}
	render := profiles.RenderInput{Enclave: in.Enclave, Answers: in.Answers, Registry: in.Registry}
	n, err := nodeOf(render, c.Version)
	if err != nil {
		return err
	}
	b, err := configOf(n, render)
	if err != nil {
		return err
	}
	files, err := c.Files()
	if err != nil {
		return err
	}
	var archives []string
	for _, f := range files {
		if f.Kind == release.Images {
			archives = append(archives, f.Name)
		}
	}
	return n.Prepare(in, b, archives, nil)
}
