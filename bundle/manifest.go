package bundle

import (
	"io/fs"

	"caisson.dev/caisson/internal/digest"
)

// Where things lie on the medium. The folder is an OCI image layout of its own.
const (
	Dir          = "caisson"                // root of the bundle on the medium
	ManifestPath = Dir + "/manifest.json"   // names every file but itself and SumPath
	SumPath      = ManifestPath + ".sha256" // the manifest's checksum, for sha256sum -c
	SpecPath     = Dir + "/caisson.yaml"    // the Spec, as written
	AnswersPath  = Dir + "/answers.yaml"    // answers for an install with nobody present, if any
	LockPath     = Dir + "/caisson.lock"    // the Lock
	SecretsPath  = Dir + "/secrets.age"     // the cluster's secrets, sealed, if any
	BlobDir      = Dir + "/blobs/sha256"    // every payload byte, under its hex digest
	IndexPath    = Dir + "/index.json"      // OCI index of the images
	LayoutPath   = Dir + "/oci-layout"
)

// NodeDir is where a node keeps what it knows of itself, and NodeSpec its Spec.
const (
	NodeDir  = "/var/lib/caisson"
	NodeSpec = NodeDir + "/caisson.yaml"
)

// NodeManifests is the folder on the node where carried Kubernetes manifests lie:
// the low side puts them there as payload, caisson-node applies them.
const NodeManifests = "/usr/local/share/caisson/manifests"

// Manifest names every file of the medium.
type Manifest struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`    // "Manifest"
	Enclave    string         `json:"enclave"` // metadata.name
	Release    string         `json:"release"` // unique name of this medium: <enclave>-<12 hex of the Lock's digest and the program's version>
	Epoch      int64          `json:"epoch"`
	Caisson    string         `json:"caisson"` // version of the program that built it
	Spec       digest.Digest  `json:"spec"`
	Lock       digest.Digest  `json:"lock"`
	Answers    digest.Digest  `json:"answers,omitempty"` // of AnswersPath
	Secrets    *SealedSecrets `json:"secrets,omitempty"` // what is said of SecretsPath
	OS         OSImage        `json:"os"`
	StandIns   []string       `json:"standIns,omitempty"` // payload that is a stand-in of the tests, by name: a product's medium has none
	Payload    []Payload      `json:"payload"`            // files for the node, sorted by Path
	Images     []ImageEntry   `json:"images"`             // sorted by Ref
	Files      []File         `json:"files"`              // every file but the manifest and its checksum, in LBA order
}

// OSImage is the node OS: one squashfs with its dm-verity tree behind it, the
// content of a slot and the live root at once, and what boots it. The digests
// name blobs of the bundle.
type OSImage struct {
	Version    string          `json:"version"`    // "13.2+20261101.abcdef012345": sorts by age, file-name safe
	Image      digest.Digest   `json:"image"`      // squashfs + padding + verity tree
	Size       int64           `json:"size"`       // bytes of Image, a multiple of 4096
	HashOffset int64           `json:"hashOffset"` // where the verity superblock starts in Image
	RootHash   string          `json:"rootHash"`   // hex
	Boot       map[string]Blob `json:"boot"`       // "vmlinuz", "initrd", "shim", "mokmanager", "systemd-boot": what the installed ESP needs
}

// Blob is a size and a digest.
type Blob struct {
	Digest digest.Digest `json:"digest"`
	Size   int64         `json:"size"`
}

// Payload is a file that the installer copies to the node as it is.
type Payload struct {
	Path   string        `json:"path"` // absolute path on the node: /usr/local/bin/kubelet
	Name   string        `json:"name"` // artifact name: kubernetes/kubelet
	Mode   fs.FileMode   `json:"mode"`
	Digest digest.Digest `json:"digest"`
	Size   int64         `json:"size"`
}

// ImageEntry is a carried container image. Its blobs are in BlobDir.
type ImageEntry struct {
	Ref       string        `json:"ref"` // normalised: registry.k8s.io/pause:3.10.2
	MediaType string        `json:"mediaType"`
	Digest    digest.Digest `json:"digest"` // of its manifest or index
	Size      int64         `json:"size"`   // bytes of that manifest
	Total     int64         `json:"total"`  // bytes of all its blobs, shared ones included
}

// File is one file of the medium.
type File struct {
	Path   string        `json:"path"` // relative to the medium's root, slashes
	Size   int64         `json:"size"`
	Digest digest.Digest `json:"digest"`
	Kind   string        `json:"kind"`             // "boot", "os", "payload", "image", "meta"
	Name   string        `json:"name,omitempty"`   // the artifact's name(s), for people
	Source string        `json:"source,omitempty"` // purl or URL
}
