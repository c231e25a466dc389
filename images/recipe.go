// Package images is the container images of a bundle and the registry that
// serves them: it assembles images from artifacts (Recipe), gathers carried
// ones into one deduplicated OCI image layout, verifies that every blob that a
// manifest names is there, and describes the registry engine of a node (Engine,
// Service). The engines are the folders zot and distribution.
//
// It does not fetch: package sources does. It stands between the collected
// artifacts and the Manifest; the node side uses only Engine and Service.
package images

import (
	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/spec"
)

// Recipe is one image assembled from artifacts: reproducible, one platform.
type Recipe struct {
	Ref        string // registry.k8s.io/kube-apiserver:v1.37.2
	Layers     []Layer
	Entrypoint []string
	Cmd        []string
	Env        []string
	User       string // "0", "65535:65535"
}

// Layer is one layer, from the bottom. Exactly one of Files and Packages is set.
type Layer struct {
	Files    []LayerFile
	Packages string // Want name of a DebianWant: all its packages, unpacked, without docs and locales
}

// LayerFile puts an artifact into a layer.
type LayerFile struct {
	Artifact string // "kubernetes/kube-apiserver"
	Path     string // /usr/local/bin/kube-apiserver
	Mode     uint32
}

// Service is the registry as the node runs it: plain files, no logic.
type Service struct {
	Engine  string // "zot", "distribution"
	Address string // "127.0.0.1:5000"
	Root    string // /var/lib/caisson/registry: the engine's storage root
	Unit    string // "caisson-registry.service"
	Files   []ServiceFile
}

// ServiceFile is a configuration file or unit, by absolute path on the node.
type ServiceFile struct {
	Path string
	Mode uint32
	Data []byte
}

// MirrorPath is the path under /v2/ at which the registry holds the images of an
// upstream host: http://<Address>/v2/<host>. Names inside the registry are
// <upstream host>/<repository>.
func MirrorPath(host string) string { return host }

// StoreDir is where the bundle's image blobs lie on the node: StoreDir/<hex>.
// The engine's root holds hard links to them (same file system), never copies.
const StoreDir = "/var/lib/caisson/store/blobs/sha256"

// Engine is a registry program: what the low side must gather for it and how
// it sees the store on the node.
type Engine interface {
	Name() string
	// Want is the registry's own binary; Binary is the artifact's name.
	Want(e spec.Enclave) (bundle.Want, error)
	Binary() string
	// Service describes the registry on the node.
	Service() Service
	// View lays out the engine's storage root for the images: every entry is a
	// hard link to a blob, or a small file. Pure; the order is the order of writing.
	View(store Reader, images []bundle.ImageEntry) ([]ViewEntry, error)
}

// ViewEntry is one file of the engine's storage root.
type ViewEntry struct {
	Path string // relative to Service.Root, slashes
	Link string // hex digest of the blob in StoreDir to hard link; or
	Data []byte // content
}
