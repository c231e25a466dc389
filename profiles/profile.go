// Package profiles is the contract between Caisson and a way of running
// Kubernetes: what it needs (Wants), which images it carries, which files the
// node gets, how a node is configured (an Ignition config, rendered purely),
// when it is ready and what its CIS table checks. The profiles themselves are
// the folders beneath (kubeadm, rke2-cis, k3s-edge); catalog lists them.
//
// A Profile only describes: it never downloads and never changes a disk. Both
// programs link it: caisson to gather, caisson-node to render. What
// runs on the live node (Ready, and the optional KeyMaker and Deployer) is
// called by caisson-node alone.
package profiles

import (
	"context"
	"io"
	"net/netip"
	"time"

	ignition "github.com/coreos/ignition/v2/config/v3_5/types"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/secrets"
	"caisson.dev/caisson/spec"
)

// Profile is one way of running Kubernetes on a node.
type Profile interface {
	// Name is what kubernetes.profile says in the Spec.
	Name() string
	// Wants lists the inputs to pin, beyond node OS and registry.
	Wants(e spec.Enclave) ([]bundle.Want, error)
	// Recipes says how the profile's own images are made from wanted artifacts.
	Recipes(e spec.Enclave) ([]images.Recipe, error)
	// Payload lists files the installer copies to the node, by artifact name.
	Payload(e spec.Enclave) ([]PayloadFile, error)
	// Needs is the least machine for a role.
	Needs(role string) Needs
	// Render is the node's configuration. Pure: same input, same config.
	Render(in RenderInput) (ignition.Config, error)
	// Checks is the CIS table for the role, by the ids of one of Benchmarks; what no
	// program can judge is in it as manual.
	Checks(role, benchmark string) []Check
	// Ready waits until the node serves, reporting what it waits for; it stops
	// with ctx. It is the readiness probe that the health gate and status use.
	Ready(ctx context.Context, report func(string)) error
}

// SecretMaker is a profile whose cluster's secrets can be made beforehand, on the
// connected side, to travel sealed. It is no KeyMaker's work: these are the
// cluster's, those are one node's.
type SecretMaker interface {
	// MakeSecrets makes them anew, valid from now. It is not pure.
	MakeSecrets(e spec.Enclave, now time.Time) ([]secrets.File, error)
	// TakesSecrets tells whether a node of that role gets them.
	TakesSecrets(role string) bool
}

// TakesSecrets tells whether a node of the role gets the cluster's secrets.
func TakesSecrets(p Profile, role string) bool {
	m, ok := p.(SecretMaker)
	return ok && m.TakesSecrets(role)
}

// Joiner is a profile that the roster tells how a node comes into the cluster.
// Without it every control-plane starts its own, and a worker joins by hand.
type Joiner interface {
	// Joins is the roster's node that a new node of the role joins, one that the
	// roster does not name; nil if it starts a cluster of its own. An error says
	// why it can do neither.
	Joins(e spec.Enclave, role string) (*spec.Node, error)
}

// KeyMaker is a profile that makes secrets on the node itself, so that none is
// rendered, carried or recorded. `caisson-node keys` calls it before each start
// of the kubelet: it must be quick, change nothing that is good, and never
// replace a key that data was written with.
type KeyMaker interface {
	Keys(in KeysInput) error
}

// KeysInput is what the node knows of itself when keys are made.
type KeysInput struct {
	Root      string       // "/" on a node, a tree in tests
	Node      string       // the node's name
	Addresses []netip.Addr // the node's own addresses, loopback left out
	Now       time.Time
}

// SecretChooser is a SecretMaker that does not give each node all of them.
type SecretChooser interface {
	// TakesSecret tells whether the node gets the file at that path.
	TakesSecret(e spec.Enclave, a spec.Answers, path string) (bool, error)
}

// Preparer is a profile that looks at a node before Kubernetes starts on it.
// `caisson-node prepare` calls it before each start of the vendor's unit.
type Preparer interface {
	// Prepare reports every reason for which a start would fail, all at once. It
	// mends nothing but certificates that ran out while the node was off.
	Prepare(in PrepareInput) error
}

// PrepareInput is what a start depends on.
type PrepareInput struct {
	Root     string // "/" on a node, a tree in tests
	Enclave  spec.Enclave
	Answers  spec.Answers // complete
	Registry images.Service
	Epoch    int64 // when the node's medium was made, Unix seconds
	Now      time.Time
}

// Unpacker is a profile that has files for the node inside an artifact.
type Unpacker interface {
	// Archives names those artifacts.
	Archives(e spec.Enclave) ([]string, error)
	// Unpack calls each for every file for the node in the archive, with the name
	// of the artifact that it is to be. Keep nothing unless it returns nil.
	Unpack(archive io.Reader, each func(artifact string, body io.Reader) error) error
}

// ArchiveJudge is a profile that looks into its image archives before they go
// onto a medium: what is not in them is nowhere in the enclave.
type ArchiveJudge interface {
	// CheckArchives reports what the archives lack; file gives the path of an
	// artifact's bytes, under the artifact's own name.
	CheckArchives(e spec.Enclave, file func(artifact string) (string, error)) error
}

// ManifestJudge is a profile under which some carried objects do harm, or die
// without a word.
type ManifestJudge interface {
	// CheckManifests reports each that must not be carried. Pure.
	CheckManifests(e spec.Enclave, objects []Object) error
}

// Object is a Kubernetes object in a carried manifest.
type Object struct {
	File       string // as in the Spec
	APIVersion string
	Kind       string
	Namespace  string // "" if the manifest has none
	Name       string
}

// Deployer is a profile that can apply the carried manifests.
type Deployer interface {
	// ApplyManifests applies every *.yaml, *.yml and *.json file of dir, in name order;
	// no file, or no dir, is nothing to do.
	ApplyManifests(ctx context.Context, dir string, report func(string)) error
	// WaitWorkloads waits until what those manifests run is ready.
	WaitWorkloads(ctx context.Context, dir string, report func(string)) error
}

// NetworkCarrier is a Deployer whose pod network may be among the carried
// manifests: then no node is Ready before they are applied.
type NetworkCarrier interface {
	// CarryNetwork hands the manifests of dir over if the node has no pod network of
	// the profile's. It waits for nothing and is called before Ready.
	CarryNetwork(dir string) error
}

// Member is a profile whose node can ask its cluster what that says of it.
type Member interface {
	// Membership says so in words, and whether the cluster calls the node Ready. It
	// asks once and waits for nothing but the answer.
	Membership(ctx context.Context) (words string, ready bool)
}

// Supervised is a profile whose Kubernetes runs under a unit of its own, not as
// kubelet.service.
type Supervised interface {
	Unit(role string) string // "rke2-server.service"
}

// Unit is the systemd unit that runs Kubernetes on a node of the role.
func Unit(p Profile, role string) string {
	if s, ok := p.(Supervised); ok {
		return s.Unit(role)
	}
	return "kubelet.service"
}

// Certified is a profile that says where a node keeps its certificates.
type Certified interface {
	// Certificates are the patterns (path.Match) of their files; no file need be there.
	Certificates() []string
}

// PayloadFile puts a wanted artifact at a path on the node.
type PayloadFile struct {
	Artifact string // "kubernetes/kubelet"
	Path     string // "/usr/local/bin/kubelet"
	Mode     uint32 // 0o755
}

// Needs is the least machine.
type Needs struct {
	Memory size.Bytes
	Disk   size.Bytes // STATE partition, beyond what the bundle's own bytes take
	CPUs   int
}

// RenderInput is all that a node's configuration may depend on.
type RenderInput struct {
	Enclave  spec.Enclave
	Answers  spec.Answers // complete: name, role, network
	Manifest bundle.Manifest
	Registry images.Service // the registry on this node: address, unit, files
}

// Check is one line of a CIS table: an id, our own words, and a test that reads
// the live node's files through root ("/" on a node, a tree in tests) and may ask
// the services of the node that it runs on. It never hangs: what does not answer
// is a failed check.
type Check struct {
	Name  string // the same in every benchmark: the id in the newest, or a word if that lacks the line
	ID    string // "1.2.1", "4.2.6"
	Title string // our own words
	Run   func(ctx context.Context, root string) Result
}

// Result of a check.
type Result struct {
	Status string // "pass", "fail", "manual", "not-applicable"
	Have   string
	Want   string
}
