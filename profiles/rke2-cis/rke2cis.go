// Package rke2cis is the profile rke2-cis: RKE2 with its own profile "cis", from
// the vendor's release files. Every node gets the vendor's program, units and
// image archives as they are; what is rendered is config.yaml and what stands
// beside it.
//
// The first control-plane of the roster starts the cluster, the others and the
// workers join it with tokens made beforehand (package secrets). What RKE2 has in
// common with K3s is in profiles/rancher. It leaves out SELinux (the node OS has
// none) and upgrades in place.
package rke2cis

import (
	"context"
	"errors"
	"io"
	"net"
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

// Profile is the profile rke2-cis.
type Profile struct {
	node.Here
	// dial reaches the node's services for Checks; nil is the network.
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// The contract, checked by the compiler.
var (
	_ profiles.Profile        = Profile{}
	_ profiles.SecretMaker    = Profile{}
	_ profiles.SecretChooser  = Profile{}
	_ profiles.Unpacker       = Profile{}
	_ profiles.ArchiveJudge   = Profile{}
	_ profiles.ManifestJudge  = Profile{}
	_ profiles.Preparer       = Profile{}
	_ profiles.Deployer       = Profile{}
	_ profiles.NetworkCarrier = Profile{}
	_ profiles.Certified      = Profile{}
	_ profiles.NetworkChanger = Profile{}
)

// parts are the static pods of a server, by their component label (rke2
// pkg/podtemplate).
var parts = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}

// New is the profile as a node and the low side use it.
func New() Profile { return Profile{Here: node.Here{Root: "/", Product: release.RKE2, Parts: parts}} }

// Name is "rke2-cis".
func (Profile) Name() string { return spec.ProfileRKE2 }

// Needs is the least machine (rke2-docs docs/install/requirements.md). The disk
// is for etcd, what the archives unpack to, logs, and room for workloads.
func (Profile) Needs(string) profiles.Needs {
	return profiles.Needs{Memory: 4 * size.GiB, Disk: 24 * size.GiB, CPUs: 2}
}

// Wants are the vendor's release files.
func (Profile) Wants(e spec.Enclave) ([]bundle.Want, error) {
	c, err := choose(e)
	if err != nil {
		return nil, err
	}
	return c.Wants()
}

// choose is the release and what of it is needed, for a Spec whose own part for
// RKE2 holds.
func choose(e spec.Enclave) (release.Choice, error) {
	c, err := release.Of(e, spec.Arch)
	if err != nil {
		return c, err
	}
	return c, errors.Join(node.CheckOS(e.OS), node.CheckExtra(e, c.Version))
}

// Recipes: the vendor's images lie in archives, and none is made.
func (Profile) Recipes(e spec.Enclave) ([]images.Recipe, error) {
	_, err := choose(e)
	return nil, err
}

// Archives names the bundle with the program and its units.
func (Profile) Archives(e spec.Enclave) ([]string, error) {
	c, err := choose(e)
	if err != nil {
		return nil, err
	}
	files, err := c.Files()
	var out []string
	for _, f := range files {
		if f.Kind == release.Bundle {
			out = append(out, c.Artifact(f))
		}
	}
	return out, err
}

// Unpack takes the files out of the bundle.
func (Profile) Unpack(archive io.Reader, each func(artifact string, body io.Reader) error) error {
	return release.Unpack(archive, func(m release.Member, _ int64, body io.Reader) error { return each(member(m), body) })
}

func member(m release.Member) string { return string(release.RKE2) + "/" + m.Name }

// CheckArchives demands that the archives hold what the vendor's lists name, and
// RKE2's runtime image: without it a node asks docker.io in the end (rke2
// pkg/bootstrap/bootstrap.go).
func (Profile) CheckArchives(e spec.Enclave, file func(artifact string) (string, error)) error {
	c, err := choose(e)
	if err != nil {
		return err
	}
	return archive.CheckRelease(c, file)
}

// Payload is the vendor's files at their places on the node.
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
		switch f.Kind {
		case release.Bundle:
			for _, m := range release.Members() {
				out = append(out, profiles.PayloadFile{Artifact: member(m), Path: m.Path(), Mode: m.Mode})
			}
		case release.Images:
			out = append(out, profiles.PayloadFile{Artifact: c.Artifact(f), Path: path.Join(node.Images(release.RKE2), f.Name), Mode: 0o600})
		case release.Checksums:
			out = append(out, profiles.PayloadFile{Artifact: c.Artifact(f), Path: "/usr/local/share/rke2/" + f.Name, Mode: 0o644})
		}
	}
	return out, nil
}

// MakeSecrets makes the cluster's CAs and tokens.
func (Profile) MakeSecrets(_ spec.Enclave, now time.Time) ([]secrets.File, error) {
	return node.MakeSecrets(release.RKE2, now)
}

// Joins: a control-plane joins the roster's first as a worker does.
func (Profile) Joins(e spec.Enclave, role string) (*spec.Node, error) {
	return node.Joins(e, role, "a new node")
}

// TakesSecrets: every node joins with a token.
func (Profile) TakesSecrets(string) bool { return true }

// TakesSecret tells which of them a node gets.
func (Profile) TakesSecret(e spec.Enclave, a spec.Answers, path string) (bool, error) {
	n, err := nodeOf(profiles.RenderInput{Enclave: e, Answers: a})
	return err == nil && n.Takes(path), err
}

// nodeOf is the node that the input describes.
func nodeOf(in profiles.RenderInput) (node.Node, error) {
	c, err := choose(in.Enclave)
	if err != nil {
		return node.Node{}, err
	}
	return node.Of(in, c.Version)
}

// Prepare looks at the node before each start of RKE2.
func (Profile) Prepare(in profiles.PrepareInput) error {
	render := profiles.RenderInput{Enclave: in.Enclave, Answers: in.Answers, Registry: in.Registry}
	n, err := nodeOf(render)
	if err != nil {
		return err
	}
	c, err := choose(in.Enclave)
	if err != nil {
		return err
	}
	files, err := c.Files()
	if err != nil {
		return err
	}
	var archives, accounts []string
	for _, f := range files {
		if f.Kind == release.Images {
			archives = append(archives, f.Name)
		}
	}
	if n.Server() {
		accounts = []string{etcdUser}
	}
	return n.Prepare(in, configOf(n, render), archives, accounts)
}
