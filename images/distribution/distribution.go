// Package distribution is the registry engine CNCF Distribution, for sites that
// build every program from Go modules: its configuration, its unit and its view
// of the image store.
//
// Its storage keeps each blob once, at blobs/sha256/<2 hex>/<hex>/data, and
// gives repositories access to blobs by small "link" files. We write that tree
// as pushes would have left it: hard links to the store for the blobs, links
// for each layer, each manifest (children of indexes too) and each tag. The
// layout is that of the registry/storage/paths.go of version 3 ("v2" storage).
//
// It leaves out what needs a writable root: uploads, deletes and garbage
// collection. Known limit of the engine: no /referrers endpoint, so signatures
// are found by their fallback tags only. It is used by package profiles through
// images.Engine.
package distribution

import (
	"embed"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/spec"
)

// Module and DefaultVersion are what is compiled if the Spec says no version.
const (
	Module         = "github.com/distribution/distribution/v3"
	DefaultVersion = "v3.1.2"
)

//go:embed files
var files embed.FS

// Engine is CNCF Distribution.
type Engine struct{}

var _ images.Engine = Engine{}

// Name is what registry.engine says in the Spec.
func (Engine) Name() string { return "distribution" }

// Want is the registry program, compiled from its module without cgo.
func (Engine) Want(e spec.Enclave) (bundle.Want, error) {
	version := e.Registry.Version
	if version == "" {
		version = DefaultVersion
	}
	return bundle.Want{Name: "registry", Module: &bundle.ModuleWant{
		Path:     Module,
		Version:  version,
		Programs: map[string]string{"distribution": Module + "/cmd/registry"},
		LDFlags:  []string{"-X " + Module + "/version.version=" + version},
	}}, nil
}

// Binary is the artifact that goes to /usr/local/bin/distribution.
func (Engine) Binary() string { return "registry/distribution" }

// Service describes the registry on the node.
func (e Engine) Service() images.Service { return images.ServiceOf(e.Name(), files) }

// storage is where version 3 keeps everything below its root directory.
const storage = "docker/registry/v2/"

// View is the storage root: blobs first, then the links that give access to
// them, tags last.
func (Engine) View(store images.Reader, entries []bundle.ImageEntry) ([]images.ViewEntry, error) {
	repos, err := images.Repositories(store, entries)
	if err != nil {
		return nil, err
	}
	var view []images.ViewEntry
	stored := map[digest.Digest]bool{}
	blob := func(d digest.Digest) {
		if !stored[d] {
			stored[d] = true
			view = append(view, images.ViewEntry{Path: storage + "blobs/sha256/" + d.Hex()[:2] + "/" + d.Hex() + "/data", Link: d.Hex()})
		}
	}
	link := func(dir string, d digest.Digest) {
		view = append(view, images.ViewEntry{Path: storage + "repositories/" + dir + "/link", Data: []byte(d)})
	}
	for _, r := range repos {
		for _, d := range r.Blobs {
			blob(d)
		}
		for _, m := range r.Manifests {
			blob(m.Digest)
		}
	}
	for _, r := range repos {
		for _, d := range r.Blobs {
			link(r.Name+"/_layers/sha256/"+d.Hex(), d)
		}
		for _, m := range r.Manifests {
			link(r.Name+"/_manifests/revisions/sha256/"+m.Digest.Hex(), m.Digest)
		}
		for _, t := range r.Tags {
			tag := r.Name + "/_manifests/tags/" + t.Name
			link(tag+"/index/sha256/"+t.Digest.Hex(), t.Digest)
			link(tag+"/current", t.Digest)
		}
	}
	return view, nil
}
