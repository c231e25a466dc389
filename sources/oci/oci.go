// Package oci is the source of container images: from a registry (OCI
// distribution-spec, by go-containerregistry), from a folder with an OCI image
// layout, or from a tar file (OCI layout, or docker save). Resolve pins the
// digest for one platform, or that of the index; Collect brings every blob below
// that digest that the platform needs into the Store, byte for byte: digests
// never change on the way.
//
// It judges no content and checks no image signature. It is for the low side only.
package oci

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fetch"
	"caisson.dev/caisson/internal/size"
)

// WholeIndex as ImageWant.Platform keeps an index with all its platforms.
const WholeIndex = "all"

// defaultPlatform is meant by an empty ImageWant.Platform.
const defaultPlatform = "linux/amd64"

// Limits, far above real images: registries refuse manifests over 4 MiB
// (distribution-spec, "Pushing Manifests").
const (
	maxManifest = 4 * size.MiB
	maxBlobs    = 10_000 // below one image or index
	maxDepth    = 4      // index in index
)

// Source brings images; it implements bundle.Source for ImageWants.
type Source struct {
	Store *bundle.Store // scratch space for compressed archives; manifests of registries
	Fetch *fetch.Client // asks registries; nil means the default
	Dir   string        // where relative paths of Wants start
}

func (s Source) at(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(s.Dir, path)
}

// origin is one place with images: blobs by descriptor, and names.
type origin interface {
	// Root is the descriptor that the wanted name stands for.
	root(ctx context.Context) (v1.Descriptor, error)
	// Manifest is at most maxManifest bytes, not yet checked.
	manifest(ctx context.Context, d v1.Descriptor) ([]byte, error)
	// Bring puts one blob into the store, checked; progress gets its bytes so far,
	// which may become fewer when it begins again.
	bring(ctx context.Context, store *bundle.Store, d v1.Descriptor, progress func(done int64)) error
	close()
}

func (s Source) open(ctx context.Context, w bundle.Want) (origin, error) {
	im := *w.Image
	ref, err := reference.ParseNormalizedNamed(im.Ref)
	if err != nil {
		return nil, BadWant.New("cannot use image name %q: %w", im.Ref, err)
	}
	n := 0
	for _, set := range []bool{im.Registry, im.Layout != "", im.Archive != ""} {
		if set {
			n++
		}
	}
	switch {
	case n != 1:
		return nil, BadWant.New("cannot get image %s: have %d places for it, need one of registry, layout, archive", im.Ref, n)
	case im.Registry:
		return s.openRegistry(ref, im)
	case im.Layout != "":
		return openLayout(s.at(im.Layout), ref, im)
	}
	return s.openArchive(ctx, s.at(im.Archive), ref, im)
}

// Resolve pins the image's digest and the size of all that it consists of.
func (s Source) Resolve(ctx context.Context, w bundle.Want) (bundle.Pin, error) {
	o, err := s.open(ctx, w)
	if err != nil {
		return bundle.Pin{}, err
	}
	defer o.close()
	root, err := o.root(ctx)
	if err != nil {
		return bundle.Pin{}, err
	}
	if want := w.Image.Digest; want != "" && string(want) != root.Digest.String() {
		return bundle.Pin{}, bundle.DigestMismatch.New("cannot use image %s: have %s, need %s as the Spec says", w.Image.Ref, root.Digest, want).
			Hint("the tag was moved, or the digest in the Spec is out of date")
	}
	if root, err = choose(ctx, o, root, w.Image); err != nil {
		return bundle.Pin{}, err
	}
	var total int64
	err = walk(ctx, o, root, w.Image.Platform, func(d v1.Descriptor, _ []byte) error {
		total += d.Size
		return nil
	})
	if err != nil {
		return bundle.Pin{}, err
	}
	return bundle.Pin{Want: w, Image: &bundle.ImagePin{MediaType: string(root.MediaType), Digest: digest.Digest(root.Digest.String()), Size: total}}, nil
}

// choose goes from an index to the manifest of the wanted platform. An index
// that the author pinned stays: a pod that names its digest is answered with it.
func choose(ctx context.Context, o origin, root v1.Descriptor, im *bundle.ImageWant) (v1.Descriptor, error) {
	if !root.MediaType.IsIndex() || im.Platform == WholeIndex {
		return root, nil
	}
	platform, err := platformOf(im.Platform)
	if err != nil {
		return root, BadWant.New("cannot use platform %q of image %s: %w", im.Platform, im.Ref, err)
	}
	raw, err := readManifest(ctx, o, root)
	if err != nil {
		return root, err
	}
	index, err := parseIndex(raw, root)
	if err != nil {
		return root, err
	}
	var have []string
	for _, d := range index.Manifests {
		if d.Platform == nil || !d.MediaType.IsImage() {
			continue
		}
		if d.Platform.Satisfies(*platform) {
			if im.Digest != "" {
				return root, nil
			}
			return d, nil
		}
		have = append(have, d.Platform.String())
	}
	return root, NoPlatform.New("cannot get image %s: have %s, need %s", im.Ref, strings.Join(have, ", "), platform).
		Hint("use a tag or version of the image that is made for that platform")
}

// platformOf reads ImageWant.Platform; nil means all platforms.
func platformOf(text string) (*v1.Platform, error) {
	switch text {
	case WholeIndex:
		return nil, nil
	case "":
		text = defaultPlatform
	}
	return v1.ParsePlatform(text)
}

// needed tells whether a node of the platform might choose this child of an
// index: it might where nothing is said.
func needed(child v1.Descriptor, platform *v1.Platform) bool {
	p := child.Platform
	return platform == nil || p == nil || p.OS == "" && p.Architecture == "" || p.Satisfies(*platform)
}

// walk visits everything below root that the platform (as in ImageWant) needs,
// each digest once, parents first. raw is the checked content of manifests, nil
// for other blobs.
func walk(ctx context.Context, o origin, root v1.Descriptor, platform string, visit func(d v1.Descriptor, raw []byte) error) error {
	only, err := platformOf(platform)
	if err != nil {
		return BadWant.New("cannot use platform %q of image %s: %w", platform, root.Digest, err)
	}
	seen := map[v1.Hash]bool{}
	var down func(d v1.Descriptor, depth int) error
	down = func(d v1.Descriptor, depth int) error {
		if seen[d.Digest] {
			return nil
		}
		seen[d.Digest] = true
		switch {
		case len(seen) > maxBlobs || depth > maxDepth:
			return Unsupported.New("cannot use image %s: have more than %d blobs or %d levels, need fewer", root.Digest, maxBlobs, maxDepth)
		case d.Digest.Algorithm != "sha256" || d.Size < 0:
			return BadDescriptor.New("cannot use blob %s of image %s: have size %d, need a sha256 digest and a size", d.Digest, root.Digest, d.Size)
		}
		children, raw, err := childrenOf(ctx, o, d)
		if err != nil {
			return err
		}
		if err := visit(d, raw); err != nil {
			return err
		}
		for _, c := range children {
			if !needed(c, only) {
				continue
			}
			if err := down(c, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return down(root, 0)
}

// childrenOf is what a manifest or index names; other blobs have no children.
func childrenOf(ctx context.Context, o origin, d v1.Descriptor) ([]v1.Descriptor, []byte, error) {
	switch {
	case d.MediaType == types.DockerManifestSchema1 || d.MediaType == types.DockerManifestSchema1Signed:
		return nil, nil, Unsupported.New("cannot use image %s: have manifest schema 1, need OCI or Docker schema 2", d.Digest).
			Hint("push it again with a tool of this decade")
	case d.MediaType.IsIndex():
		raw, err := readManifest(ctx, o, d)
		if err != nil {
			return nil, nil, err
		}
		index, err := parseIndex(raw, d)
		if err != nil {
			return nil, nil, err
		}
		return index.Manifests, raw, nil
	case d.MediaType.IsImage():
		raw, err := readManifest(ctx, o, d)
		if err != nil {
			return nil, nil, err
		}
		m, err := v1.ParseManifest(strings.NewReader(string(raw)))
		if err != nil {
			return nil, nil, BadDescriptor.New("cannot read manifest %s: %w", d.Digest, err)
		}
		for _, l := range m.Layers {
			if !l.MediaType.IsDistributable() {
				return nil, nil, Unsupported.New("cannot use image %s: have layer %s of type %s that lies elsewhere, need all layers in the image", d.Digest, l.Digest, l.MediaType)
			}
		}
		return append([]v1.Descriptor{m.Config}, m.Layers...), raw, nil
	}
	return nil, nil, nil
}

func parseIndex(raw []byte, d v1.Descriptor) (*v1.IndexManifest, error) {
	index, err := v1.ParseIndexManifest(strings.NewReader(string(raw)))
	if err != nil {
		return nil, BadDescriptor.New("cannot read index %s: %w", d.Digest, err)
	}
	return index, nil
}

// readManifest reads a manifest and holds it against its descriptor.
func readManifest(ctx context.Context, o origin, d v1.Descriptor) ([]byte, error) {
	if d.Size > int64(maxManifest) {
		return nil, Unsupported.New("cannot read manifest %s: have %d bytes, need at most %d", d.Digest, d.Size, int64(maxManifest))
	}
	raw, err := o.manifest(ctx, d)
	if err != nil {
		return nil, err
	}
	if have := digest.Of(raw); string(have) != d.Digest.String() || int64(len(raw)) != d.Size {
		return nil, bundle.DigestMismatch.New("cannot use manifest: have %s (%d bytes), need %s (%d bytes)", have, len(raw), d.Digest, d.Size)
	}
	return raw, nil
}

// nameOf is how faults speak of a blob.
func nameOf(d v1.Descriptor) string { return fmt.Sprintf("%s (%s)", d.Digest, d.MediaType) }
