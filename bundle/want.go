// Package bundle holds all that travels, and its trust: Want (a thing needed),
// Pin (that thing, exact), Lock (all pins, bound to the Spec), Artifact (bytes
// in the content-addressed Store) and Manifest (every file of the medium).
//
// The arrows are Resolve (Wants -> Lock, the only one that asks the network
// what exists), Collect (Lock -> Artifacts), Seal (-> Manifest) and Verify
// (medium -> Verified). Where bytes come from is in package sources; how they
// lie on an ISO is in package iso. It imports spec and leaves only.
package bundle

import (
	"io/fs"

	"caisson.dev/caisson/internal/digest"
)

// Want is one thing that a profile, the node OS, the registry or the Spec needs
// and that is not pinned yet. Exactly one of the pointers is set.
type Want struct {
	Name   string      `json:"name"` // unique in a build: "kubernetes", "os/base", "image/docker.io/library/x:1"
	Module *ModuleWant `json:"module,omitempty"`
	Debian *DebianWant `json:"debian,omitempty"`
	File   *FileWant   `json:"file,omitempty"`
	Image  *ImageWant  `json:"image,omitempty"`
}

// ModuleWant is a set of programs compiled from one Go module, each artifact
// named after the last element of its package's path, or by Programs' value.
type ModuleWant struct {
	Path     string            `json:"path"`              // k8s.io/kubernetes
	Version  string            `json:"version"`           // v1.37.2
	Programs map[string]string `json:"programs"`          // artifact name -> package path
	LDFlags  []string          `json:"ldflags,omitempty"` // beyond -s -w
	Tags     []string          `json:"tags,omitempty"`
	Cgo      bool              `json:"cgo,omitempty"` // needs a C compiler; else CGO_ENABLED=0
	// Also names further modules to require at a version (etcdctl beside etcd).
	Also map[string]string `json:"also,omitempty"`
	// Staging names modules that Path's go.mod replaces by relative folders
	// (Kubernetes): they are replaced by themselves at this version.
	Staging string `json:"staging,omitempty"`
}

// DebianWant is a set of binary packages with everything they depend on.
type DebianWant struct {
	Mirror     string   `json:"mirror"`             // archive root URL
	Security   string   `json:"security,omitempty"` // security archive root URL, if used
	Suite      string   `json:"suite"`              // trixie
	Components []string `json:"components"`
	Arch       string   `json:"arch"` // amd64
	Packages   []string `json:"packages"`
	// Base says whether Essential packages and Priority: required come along
	// (a bootable tree); without it only Packages and their dependencies do.
	Base bool `json:"base,omitempty"`
	// NoDeps takes exactly Packages.
	NoDeps bool `json:"noDeps,omitempty"`
	// Extract names single files to take out of the packages: artifact name ->
	// absolute path in the package. With it, Collect yields those files and not
	// the packages.
	Extract map[string]string `json:"extract,omitempty"`
}

// FileWant is one file over HTTPS or from a folder. Exactly one of URL, Path.
type FileWant struct {
	URL      string        `json:"url,omitempty"`
	Path     string        `json:"path,omitempty"`
	Digest   digest.Digest `json:"digest,omitempty"`   // if known beforehand
	Checksum string        `json:"checksum,omitempty"` // URL or path of a checksum file (sha256sum form) that must name the file
	Mode     fs.FileMode   `json:"mode,omitempty"`
	// Release names the release that the file is of, if its folder has that name
	// ("+" as %2B in a URL) and lies among those of other releases: where there is
	// none of that name, the nearest that are there can be told.
	Release string `json:"release,omitempty"`
}

// ImageWant is one container image. Exactly one of Registry (true), Layout, Archive.
type ImageWant struct {
	Ref      string        `json:"ref"` // normalised, with host and tag
	Registry bool          `json:"registry,omitempty"`
	Layout   string        `json:"layout,omitempty"`   // folder
	Archive  string        `json:"archive,omitempty"`  // tar file
	Digest   digest.Digest `json:"digest,omitempty"`   // if the author pinned it
	Platform string        `json:"platform,omitempty"` // linux/amd64
}

// Pin is a Want made exact: its bytes can be had again, or are refused.
type Pin struct {
	Want   Want       `json:"want"`
	Module *ModulePin `json:"module,omitempty"`
	Debs   []DebPin   `json:"debs,omitempty"`
	File   *FilePin   `json:"file,omitempty"`
	Image  *ImagePin  `json:"image,omitempty"`
}

// ModulePin holds the two files that fix every module down to its content
// (go.sum, "Module authentication" in the Go modules reference), and the compiler.
type ModulePin struct {
	GoMod     string `json:"goMod"`
	GoSum     string `json:"goSum"`
	Toolchain string `json:"toolchain"` // go1.26.8
}

type DebPin struct {
	Package string        `json:"package"`
	Version string        `json:"version"`
	URL     string        `json:"url"`
	Size    int64         `json:"size"`
	Digest  digest.Digest `json:"digest"`
}

type FilePin struct {
	Size      int64         `json:"size"`
	Digest    digest.Digest `json:"digest"`
	Checksums digest.Digest `json:"checksums,omitempty"` // of the Want's checksum file, which states Digest
}

type ImagePin struct {
	MediaType string        `json:"mediaType"`
	Digest    digest.Digest `json:"digest"` // manifest or index
	Size      int64         `json:"size"`   // all blobs, bytes
}

// Lock is every input, pinned; it belongs to exactly one Spec.
type Lock struct {
	APIVersion string        `json:"apiVersion"` // caisson.dev/v1alpha1
	Kind       string        `json:"kind"`       // "Lock"
	Spec       digest.Digest `json:"spec"`
	Epoch      int64         `json:"epoch"` // SOURCE_DATE_EPOCH of everything built, Unix seconds
	Pins       []Pin         `json:"pins"`  // sorted by Want.Name
}

// Artifact is bytes in the Store, named by who wanted them.
type Artifact struct {
	Name   string        `json:"name"` // "kubernetes/kubelet": Want.Name + "/" + program, file or package
	Digest digest.Digest `json:"digest"`
	Size   int64         `json:"size"`
	Mode   fs.FileMode   `json:"mode,omitempty"`
	Source string        `json:"source,omitempty"` // where it came from, for manifest and SBOM: pkg:golang/...@v, pkg:deb/..., URL
}
