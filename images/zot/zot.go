// Package zot is the registry engine zot: its configuration, its unit and its
// view of the image store.
//
// zot serves a tree of OCI image layouts, one for each repository:
// <repository>/{oci-layout, index.json, blobs/sha256/<hex>}. We write that tree
// with hard links for the blobs; no push, no import, no database. What the
// engine demands of a tree that it did not write itself:
//
//   - every manifest is listed in its repository's index.json, children of
//     multi-architecture images too; one that is only a blob is answered 404
//   - org.opencontainers.image.ref.name is the bare tag; a full reference
//     becomes a tag that nobody can pull
//   - index.json is never a hard link, as zot rewrites it in place
//   - oci-layout is there, or the repository is missing from the catalog
//   - _restore_complete at the root spares a walk at each boot whose cost grows
//     with the square of the number of blobs
//   - garbage collection is off: it deletes images without a tag, by the age of
//     their files
//   - time-outs are off: 60 s, the default, is for the whole request
//
// It leaves out authentication (which would bring a database), sync and every
// other extension. It is used by package profiles through images.Engine.
package zot

import (
	"embed"
	"path"
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/spec"
)

//go:embed files
var files embed.FS

// Engine is zot.
type Engine struct{}

var _ images.Engine = Engine{}

// Name is what registry.engine says in the Spec.
func (Engine) Name() string { return "zot" }

// Want is zot's release binary, from where the Spec says. Any of its flavours
// does; the minimal one is a third of the full one.
func (Engine) Want(e spec.Enclave) (bundle.Want, error) {
	b := e.Registry.Binary
	if b == nil || (b.URL == "") == (b.Path == "") {
		return bundle.Want{}, images.ErrBinaryMissing.New("cannot gather the registry zot: have no binary, need registry.binary with url and sha256 or checksum, or with path").
			Hint("zot's releases hold zot-linux-amd64-minimal with its checksum; or set registry.engine: distribution, which is compiled from its Go module")
	}
	want := &bundle.FileWant{URL: b.URL, Path: b.Path, Checksum: b.Checksum, Mode: 0o755}
	if b.SHA256 != "" {
		d, err := digest.FromHex(b.SHA256)
		if err != nil {
			return bundle.Want{}, images.ErrBinaryMissing.New("cannot gather the registry zot: registry.binary.sha256: %w", err)
		}
		want.Digest = d
	} else if b.URL != "" && b.Checksum == "" {
		return bundle.Want{}, images.ErrBinaryMissing.New("cannot gather the registry zot from %s: have no sha256, need registry.binary.sha256 or registry.binary.checksum", b.URL).
			Hint("take the sum from the release's checksum file, or name that file")
	}
	return bundle.Want{Name: Engine{}.Binary(), File: want}, nil
}

// Binary is the artifact that goes to /usr/local/bin/zot.
func (Engine) Binary() string { return "registry/zot" }

// Service describes the registry on the node.
func (e Engine) Service() images.Service { return images.ServiceOf(e.Name(), files) }

// restored is the marker of a finished walk (see the package comment).
const restored = "_restore_complete"

// View is the storage root: for each repository its blobs, then oci-layout,
// then index.json, which makes them visible.
func (Engine) View(store images.Reader, entries []bundle.ImageEntry) ([]images.ViewEntry, error) {
	repos, err := images.Repositories(store, entries)
	if err != nil {
		return nil, err
	}
	view := []images.ViewEntry{{Path: restored, Data: []byte("1")}}
	for _, r := range repos {
		if err := reserved(r.Name); err != nil {
			return nil, err
		}
		linked := map[digest.Digest]bool{}
		blob := func(d digest.Digest) {
			if !linked[d] {
				linked[d] = true
				view = append(view, images.ViewEntry{Path: r.Name + "/blobs/sha256/" + d.Hex(), Link: d.Hex()})
			}
		}
		for _, d := range r.Blobs {
			blob(d)
		}
		for _, m := range r.Manifests {
			blob(m.Digest)
		}
		view = append(view,
			images.ViewEntry{Path: r.Name + "/oci-layout", Data: images.OCILayout()},
			images.ViewEntry{Path: r.Name + "/index.json", Data: images.RepositoryIndex(listed(r))})
	}
	return view, nil
}

// listed is every manifest of the repository: once for each of its tags, or
// once without.
func listed(r images.Repository) []images.Tagged {
	tags := map[digest.Digest][]string{}
	for _, t := range r.Tags {
		tags[t.Digest] = append(tags[t.Digest], t.Name)
	}
	var out []images.Tagged
	for _, m := range r.Manifests {
		names := tags[m.Digest]
		if len(names) == 0 {
			names = []string{""}
		}
		for _, n := range names {
			out = append(out, images.Tagged{Blob: m, Tag: n})
		}
	}
	return out
}

// reserved refuses repositories that would lie where a layout keeps its own
// files: "x/blobs" is a folder of the layout of "x".
func reserved(name string) error {
	for _, part := range strings.Split(name, "/") {
		if part == "blobs" || part == "index.json" || part == "oci-layout" {
			return images.ErrNameReserved.New("cannot serve repository %s with zot: have a part named %q, need another name", name, part).
				Hint("%s is a file of the image layout that zot keeps at %s; registry.engine: distribution can serve this name", part, path.Dir(name))
		}
	}
	return nil
}
