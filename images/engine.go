package images

import (
	"embed"
	"io/fs"
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/spec"
)

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

// What all engines have in common on the node.
const (
	Address = "127.0.0.1:5000"
	Root    = "/var/lib/caisson/registry"
	Unit    = "caisson-registry.service"
)

// ServiceOf is the Service of an engine whose configuration and unit are the
// tree "files" in an embedded file system, under their paths on the node.
func ServiceOf(engine string, files embed.FS) Service {
	svc := Service{Engine: engine, Address: Address, Root: Root, Unit: Unit}
	err := fs.WalkDir(files, "files", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := files.ReadFile(path)
		svc.Files = append(svc.Files, ServiceFile{Path: strings.TrimPrefix(path, "files"), Mode: 0o644, Data: data})
		return err
	})
	if err != nil {
		panic(err) // the tree is part of the program
	}
	return svc
}
