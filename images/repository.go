package images

import (
	"sort"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
)

// Repository is one repository of the node's registry, in no engine's terms.
type Repository struct {
	Name      string          // inside the registry: MirrorPath(host)/path
	Blobs     []digest.Digest // configs and layers, sorted
	Manifests []Blob          // every manifest and index, children before parents, each once
	Tags      []Tag           // sorted by name
}

// Tag is a name for a manifest of the repository.
type Tag struct {
	Name   string
	Digest digest.Digest
}

// Repositories sorts images into the repositories that serve them, by name. It
// names the children of multi-architecture images too: both engines answer 404
// for a manifest that is a blob of the store but was not announced.
func Repositories(r Reader, entries []bundle.ImageEntry) ([]Repository, error) {
	building := map[string]*gathered{}
	for _, e := range entries {
		name, err := ParseRef(e.Ref)
		if err != nil {
			return nil, err
		}
		if name.Digest != "" && name.Digest != e.Digest {
			return nil, ErrBlobDiffers.New("cannot serve image %s: have manifest %s, need the digest in its name", e.Ref, e.Digest)
		}
		blobs, err := Closure(r, e)
		if err != nil {
			return nil, err
		}
		g := building[name.Repository()]
		if g == nil {
			g = &gathered{blobs: map[digest.Digest]bool{}, manifests: map[digest.Digest]bool{}, tags: map[string]digest.Digest{}}
			building[name.Repository()] = g
		}
		if err := g.add(name, e, blobs); err != nil {
			return nil, err
		}
	}
	out := make([]Repository, 0, len(building))
	for name, g := range building {
		out = append(out, g.repository(name))
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

// gathered is a repository while images are added to it.
type gathered struct {
	blobs, manifests map[digest.Digest]bool
	order            []Blob
	tags             map[string]digest.Digest
}

func (g *gathered) add(name Name, e bundle.ImageEntry, blobs []Blob) error {
	if have, ok := g.tags[name.Tag]; ok && name.Tag != "" && have != e.Digest {
		return ErrRefTwice.New("cannot serve image %s: have two images of that name, %s and %s, need one", e.Ref, have.Short(), e.Digest.Short()).
			Hint("remove one of the two from the list of images, or give it another tag")
	}
	// Closure names parents first; backwards, children come first, so that at no
	// moment of writing a served manifest lacks a child.
	for i := len(blobs) - 1; i >= 0; i-- {
		b := blobs[i]
		switch {
		case !b.Served():
			g.blobs[b.Digest] = true
		case !g.manifests[b.Digest]:
			g.manifests[b.Digest] = true
			g.order = append(g.order, b)
		}
	}
	if name.Tag != "" {
		g.tags[name.Tag] = e.Digest
	}
	return nil
}

func (g *gathered) repository(name string) Repository {
	r := Repository{Name: name, Manifests: g.order}
	for d := range g.blobs {
		r.Blobs = append(r.Blobs, d)
	}
	sort.Slice(r.Blobs, func(i, j int) bool { return r.Blobs[i] < r.Blobs[j] })
	for t, d := range g.tags {
		r.Tags = append(r.Tags, Tag{Name: t, Digest: d})
	}
	sort.Slice(r.Tags, func(i, j int) bool { return r.Tags[i].Name < r.Tags[j].Name })
	return r
}
