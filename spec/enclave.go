// Package spec holds the two things that people write: the Enclave (the file
// caisson.yaml, low side) and the Answers (what an installer asks, or a file on
// a stick holds). It loads them strictly: unknown or duplicate fields are
// refused with their YAML path and the nearest known name, and all errors are
// reported at once.
//
// It leaves out everything that needs a network or a disk. It is the first
// value of the flow: Spec -> Lock -> Bundle -> ISO; it imports leaves only.
package spec

import (
	"strings"

	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/size"
)

// APIVersion is the one version of Enclave and Answers that is read today.
const APIVersion = "caisson.dev/v1alpha1"

// Arch is the one machine architecture that media are made for: that of the node
// OS. No field asks for another.
const Arch = "amd64"

// Enclave is the whole of caisson.yaml.
type Enclave struct {
	APIVersion     string         `yaml:"apiVersion" json:"apiVersion" jsonschema:"enum=caisson.dev/v1alpha1"`
	Kind           string         `yaml:"kind" json:"kind" jsonschema:"enum=Enclave"`
	Metadata       Metadata       `yaml:"metadata" json:"metadata"`
	Classification Classification `yaml:"classification,omitempty" json:"classification,omitzero"`
	OS             OS             `yaml:"os,omitempty" json:"os,omitzero"`
	Kubernetes     Kubernetes     `yaml:"kubernetes" json:"kubernetes"`
	Registry       Registry       `yaml:"registry,omitempty" json:"registry,omitzero"`
	Images         []Image        `yaml:"images,omitempty" json:"images,omitempty"`
	Manifests      []string       `yaml:"manifests,omitempty" json:"manifests,omitempty"` // YAML files beside the Spec, applied once the node is Ready; each image they name must be in Images
	Nodes          []Node         `yaml:"nodes,omitempty" json:"nodes,omitempty"`
	Users          []User         `yaml:"users,omitempty" json:"users,omitempty"`
	Network        Network        `yaml:"network,omitempty" json:"network,omitzero"`
	Time           Time           `yaml:"time,omitempty" json:"time,omitzero"`
	Secrets        Secrets        `yaml:"secrets,omitempty" json:"secrets,omitzero"`
}

// Metadata names the enclave.
type Metadata struct {
	Name string `yaml:"name" json:"name"` // RFC 1123 label; part of the release's and the files' names
}

// Classification is the banner on every screen.
type Classification struct {
	Label  string `yaml:"label,omitempty" json:"label,omitempty"`                                                                      // e.g. "UNCLASSIFIED"
	Colour string `yaml:"colour,omitempty" json:"colour,omitempty" jsonschema:"enum=green,enum=blue,enum=red,enum=orange,enum=yellow"` // green, blue, red, orange, yellow
}

// OS is the node operating system; the defaults are in Default.
type OS struct {
	Base      string   `yaml:"base,omitempty" json:"base,omitempty" jsonschema:"enum=debian-13"` // "debian-13"
	Mirror    string   `yaml:"mirror,omitempty" json:"mirror,omitempty"`                         // archive root URL
	Security  string   `yaml:"security,omitempty" json:"security,omitempty"`                     // security archive root URL; "none" leaves it out
	Snapshot  string   `yaml:"snapshot,omitempty" json:"snapshot,omitempty"`                     // yyyymmddThhmmssZ; needs a snapshot mirror
	Packages  []string `yaml:"packages,omitempty" json:"packages,omitempty"`                     // extra Debian packages
	Firmware  *bool    `yaml:"firmware,omitempty" json:"firmware,omitempty"`                     // NIC, HBA and GPU firmware; on by default
	Microcode *bool    `yaml:"microcode,omitempty" json:"microcode,omitempty"`                   // CPU microcode; on by default
	Serial    string   `yaml:"serial,omitempty" json:"serial,omitempty"`                         // the serial console: ttyS0 to ttyS3, a comma, and 9600 to 115200 bits a second; ttyS0,115200 by default
	RootShell bool     `yaml:"rootShell,omitempty" json:"rootShell,omitempty"`                   // the installer's screens and the status console offer a root shell
}

// Kubernetes says which Kubernetes, and how it is set up.
type Kubernetes struct {
	Profile   string   `yaml:"profile,omitempty" json:"profile,omitempty" jsonschema:"enum=kubeadm,enum=rke2-cis,enum=k3s-edge"`                      // rke2-cis, k3s-edge or kubeadm; if left out, the one that version says
	Version   string   `yaml:"version" json:"version"`                                                                                                // v1.36.3+rke2r1, v1.36.2+k3s1, v1.37.2
	Source    string   `yaml:"source,omitempty" json:"source,omitempty" jsonschema:"enum=modules"`                                                    // kubeadm: "modules"
	Release   *Release `yaml:"release,omitempty" json:"release,omitempty"`                                                                            // rke2-cis, k3s-edge: where the vendor's release files come from; the vendor's own server if left out
	CNI       []string `yaml:"cni,omitempty" json:"cni,omitempty" jsonschema:"enum=canal,enum=calico,enum=cilium,enum=flannel,enum=multus,enum=none"` // rke2-cis: canal (default), calico, cilium or flannel, alone or after multus; or none
	Datastore string   `yaml:"datastore,omitempty" json:"datastore,omitempty" jsonschema:"enum=etcd,enum=sqlite"`                                     // k3s-edge: where the cluster's state lies: etcd (default) or sqlite
	Ingress   []string `yaml:"ingress,omitempty" json:"ingress,omitempty" jsonschema:"enum=traefik,enum=ingress-nginx,enum=none"`                     // rke2-cis, k3s-edge: traefik (default), ingress-nginx (rke2-cis only), or both, the default class first; or none
	Extra     *Extra   `yaml:"extra,omitempty" json:"extra,omitempty"`                                                                                // rke2-cis, k3s-edge: keys to add to config.yaml

	Exceptions []Exception `yaml:"exceptions,omitempty" json:"exceptions,omitempty"` // lines of the profile's CIS table that this enclave does not hold, each with the reason
}

// Extra is what the author adds to the configuration file of RKE2 or K3s. A key
// that Caisson's table does not know, or a value that the program would read as
// another, is refused: the program would pass over it without an error.
type Extra struct {
	Server    map[string]any `yaml:"server,omitempty" json:"server,omitempty"`       // keys for control-planes
	Agent     map[string]any `yaml:"agent,omitempty" json:"agent,omitempty"`         // keys for workers
	Unchecked []string       `yaml:"unchecked,omitempty" json:"unchecked,omitempty"` // those of the keys that are right although the table does not know them
}

// Exception is a line of the CIS table that is not held, and why. The node shows
// and records it as such; it never counts as passed.
type Exception struct {
	ID     string `yaml:"id" json:"id"`         // as caisson-node check cis shows it
	Reason string `yaml:"reason" json:"reason"` // for those who read the results: at most 300 characters on one line
}

// Release is a place with the vendor's release files: a mirror or a folder that
// has one folder for each release, named as the release, with all its files and
// their checksum file. Exactly one of URL and Path.
type Release struct {
	URL  string `yaml:"url,omitempty" json:"url,omitempty"`   // https; what the vendor's URL has before the version
	Path string `yaml:"path,omitempty" json:"path,omitempty"` // relative to the Spec
}

// Registry is the engine that serves the images on the node.
type Registry struct {
	Engine  string      `yaml:"engine,omitempty" json:"engine,omitempty" jsonschema:"enum=zot,enum=distribution"` // "zot" (default) or "distribution"
	Version string      `yaml:"version,omitempty" json:"version,omitempty"`                                       // distribution: module version
	Binary  *FileSource `yaml:"binary,omitempty" json:"binary,omitempty"`                                         // zot: where its release binary comes from
}

// FileSource is one file: exactly one of URL and Path; a URL needs SHA256, or
// Checksum, or both, which then must agree.
type FileSource struct {
	URL      string `yaml:"url,omitempty" json:"url,omitempty"`
	Path     string `yaml:"path,omitempty" json:"path,omitempty"` // relative to the Spec
	SHA256   string `yaml:"sha256,omitempty" json:"sha256,omitempty"`
	Checksum string `yaml:"checksum,omitempty" json:"checksum,omitempty"` // path or URL of the maker's checksum file, as sha256sum writes it, which must name the file
}

// ChecksumURL tells whether the checksum file is on a server, not beside the Spec.
func (f FileSource) ChecksumURL() bool { return strings.Contains(f.Checksum, "://") }

// Image is one carried container image: Ref is the name pods use. Exactly one
// of Layout, Archive and Module says where it comes from; with none, Ref's own
// registry does.
type Image struct {
	Ref     string       `yaml:"ref" json:"ref"`
	Layout  string       `yaml:"layout,omitempty" json:"layout,omitempty"`   // folder with an OCI image layout
	Archive string       `yaml:"archive,omitempty" json:"archive,omitempty"` // OCI or docker-save tar
	Module  *ModuleImage `yaml:"module,omitempty" json:"module,omitempty"`   // one static Go program, compiled from its module
	Digest  string       `yaml:"digest,omitempty" json:"digest,omitempty"`   // sha256:..., if the author pins it
}

// ModuleImage is an image with one static program in it, run as user 65532.
type ModuleImage struct {
	Path    string   `yaml:"path" json:"path"`       // module path
	Version string   `yaml:"version" json:"version"` // v1.2.3
	Package string   `yaml:"package,omitempty" json:"package,omitempty"`
	Args    []string `yaml:"args,omitempty" json:"args,omitempty"` // default arguments (CMD)
}

// Node is a roster entry.
type Node struct {
	Name    string      `yaml:"name" json:"name"`
	Role    string      `yaml:"role" json:"role" jsonschema:"enum=control-plane,enum=worker"` // control-plane or worker
	Match   Match       `yaml:"match,omitempty" json:"match,omitzero"`
	Disk    Disk        `yaml:"disk,omitempty" json:"disk,omitzero"`
	Network NodeNetwork `yaml:"network,omitempty" json:"network,omitzero"`
}

// Match joins a roster entry to a machine; any one that is set must be equal.
type Match struct {
	MAC    string `yaml:"mac,omitempty" json:"mac,omitempty"`
	Serial string `yaml:"serial,omitempty" json:"serial,omitempty"` // SMBIOS product serial
	UUID   string `yaml:"uuid,omitempty" json:"uuid,omitempty"`     // SMBIOS product UUID
}

// Disk chooses the target: the first of ByID, Serial, Smallest/Largest that is set.
// Nothing set means: the only disk that is not the boot medium, else refuse.
type Disk struct {
	ByID    string     `yaml:"byID,omitempty" json:"byID,omitempty"`                                             // name under /dev/disk/by-id
	Serial  string     `yaml:"serial,omitempty" json:"serial,omitempty"`                                         // device serial number
	Choose  string     `yaml:"choose,omitempty" json:"choose,omitempty" jsonschema:"enum=smallest,enum=largest"` // "smallest" or "largest"
	MinSize size.Bytes `yaml:"minSize,omitempty" json:"minSize,omitempty"`
}

// NodeNetwork is a node's own addressing.
type NodeNetwork struct {
	Interface string   `yaml:"interface,omitempty" json:"interface,omitempty"` // kernel name or MAC; "none" means no NIC: a dummy interface holds the node's address
	Address   string   `yaml:"address,omitempty" json:"address,omitempty"`     // CIDR, e.g. 10.20.0.11/24; empty means DHCP
	Gateway   string   `yaml:"gateway,omitempty" json:"gateway,omitempty"`
	Bond      Bond     `yaml:"bond,omitempty" json:"bond,omitzero"`                                      // several cards as one, in place of interface
	VLAN      int      `yaml:"vlan,omitempty" json:"vlan,omitempty" jsonschema:"minimum=1,maximum=4094"` // the address is in this VLAN of the card or bond, tagged; none means untagged
	MTU       int      `yaml:"mtu,omitempty" json:"mtu,omitempty" jsonschema:"minimum=576,maximum=9216"` // largest packet in bytes, on the cards and all that is above them; none means the card's own
	DNS       []string `yaml:"dns,omitempty" json:"dns,omitempty"`                                       // resolvers inside the enclave, in place of the enclave's network.dns
}

// Bond joins network cards into one link, so that one cable or switch may fail.
type Bond struct {
	Interfaces []string `yaml:"interfaces" json:"interfaces" jsonschema:"minItems=2"`                              // kernel names or MACs
	Mode       string   `yaml:"mode,omitempty" json:"mode,omitempty" jsonschema:"enum=active-backup,enum=802.3ad"` // "active-backup" (default; no switch need know) or "802.3ad" (LACP)
}

// User is an account on every node. At least one of SSHKeys and PasswordHash is set.
type User struct {
	Name         string   `yaml:"name" json:"name"`
	SSHKeys      []string `yaml:"sshKeys,omitempty" json:"sshKeys,omitempty"`
	PasswordHash string   `yaml:"passwordHash,omitempty" json:"passwordHash,omitempty"` // crypt(5) hash, never a password
	Admin        bool     `yaml:"admin,omitempty" json:"admin,omitempty"`
}

// Network is the cluster's addressing; the defaults are in Default.
type Network struct {
	PodCIDR     string   `yaml:"podCIDR,omitempty" json:"podCIDR,omitempty"`
	ServiceCIDR string   `yaml:"serviceCIDR,omitempty" json:"serviceCIDR,omitempty"`
	DNS         []string `yaml:"dns,omitempty" json:"dns,omitempty"` // resolvers inside the enclave
}

// Time says where nodes get it from.
type Time struct {
	NTP []string `yaml:"ntp,omitempty" json:"ntp,omitempty"` // servers inside the enclave
}

// Secrets says where the cluster's CAs and keys are made. Nothing set means: by
// the first server itself, and nothing secret travels.
type Secrets struct {
	Sealed string `yaml:"sealed,omitempty" json:"sealed,omitempty"` // file beside the Spec that "caisson secrets" made: they travel sealed, and a passphrase opens them on the target
}

// Answers are what the installer must know about one node. A TUI, an answer
// file or a roster entry makes them; plan.Make reads them.
type Answers struct {
	APIVersion string      `yaml:"apiVersion" json:"apiVersion" jsonschema:"enum=caisson.dev/v1alpha1"`
	Kind       string      `yaml:"kind" json:"kind" jsonschema:"enum=Answers"`
	Node       string      `yaml:"node,omitempty" json:"node,omitempty"` // take this roster entry, then the fields below override it
	Name       string      `yaml:"name,omitempty" json:"name,omitempty"`
	Role       string      `yaml:"role,omitempty" json:"role,omitempty" jsonschema:"enum=control-plane,enum=worker"`
	Disk       Disk        `yaml:"disk,omitempty" json:"disk,omitzero"`
	Network    NodeNetwork `yaml:"network,omitempty" json:"network,omitzero"`
	Time       Time        `yaml:"time,omitempty" json:"time,omitzero"` // in place of the enclave's
	Users      []User      `yaml:"users,omitempty" json:"users,omitempty"`
	Confirm    Confirm     `yaml:"confirm,omitempty" json:"confirm,omitzero"`
	After      string      `yaml:"after,omitempty" json:"after,omitempty" jsonschema:"enum=reboot,enum=poweroff,enum=stay"` // "reboot" (default), "poweroff" or "stay"
}

// Confirm is consent given ahead, for an install with nobody present. Erase
// must name the disk by what it is ("serial:WD123" or "by-id:..."), or be
// "any-blank" (only a disk with no partition table and no file system) or
// "any" (whatever is on the disk chosen is lost).
type Confirm struct {
	Erase string `yaml:"erase,omitempty" json:"erase,omitempty"`
}

// Roles a node can have.
const (
	ControlPlane = "control-plane"
	Worker       = "worker"
)

// Loaded is a Spec that passed every check, with defaults filled in; the
// digest is that of the file's bytes, which the Lock is bound to.
type Loaded struct {
	Enclave Enclave
	Digest  digest.Digest
	Raw     []byte // the file as it was
	Dir     string // folder that relative paths in the Spec start from

	file  string              // name to show; "" if it is none
	where map[string]position // of each field
}
