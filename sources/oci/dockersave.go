package oci

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"

	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/size"
)

// maxSaveManifest bounds docker save's list of images.
const maxSaveManifest = 16 * size.MiB

// dockerSave is one image of docker save's own form (manifest.json with Config,
// RepoTags and Layers): it has no manifest with digests, so one is made. Layers
// stay as they lie there, uncompressed as a rule: compressing them here would
// let the image's digest hang on the version of a compressor.
type dockerSave struct {
	members *members
	rootd   v1.Descriptor
	raw     []byte
	at      map[v1.Hash]string // member of each blob
	done    func()
}

type savedImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

func openDockerSave(ctx context.Context, m *members, where string, ref reference.Named, done func()) (*dockerSave, error) {
	raw, err := m.read("manifest.json", int64(maxSaveManifest))
	if err != nil {
		return nil, BadArchive.New("cannot read manifest.json of %s: %w", where, err)
	}
	var images []savedImage
	if err := json.Unmarshal(raw, &images); err != nil {
		return nil, BadArchive.New("cannot read manifest.json of %s: %w", where, err)
	}
	image, err := pick(images, where, ref)
	if err != nil {
		return nil, err
	}
	o := &dockerSave{members: m, at: map[v1.Hash]string{}, done: done}
	manifest := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1}
	if manifest.Config, err = o.describe(ctx, image.Config, types.OCIConfigJSON); err != nil {
		return nil, BadArchive.New("cannot read %s of %s: %w", image.Config, where, err)
	}
	diffs, err := o.diffIDs(image.Config)
	if err != nil || len(diffs) != len(image.Layers) {
		return nil, BadArchive.New("cannot use image %s of %s: have %d layers and %d in its configuration, need as many", ref, where, len(image.Layers), len(diffs))
	}
	for i, name := range image.Layers {
		d, err := o.describe(ctx, name, types.OCIUncompressedLayer)
		if err != nil {
			return nil, BadArchive.New("cannot read %s of %s: %w", name, where, err)
		}
		if d.MediaType == types.OCIUncompressedLayer && d.Digest != diffs[i] {
			return nil, BadArchive.New("cannot use %s of %s: have %s, need %s as the image's configuration says", name, where, d.Digest, diffs[i]).
				Hint("the archive is damaged: save the image again")
		}
		manifest.Layers = append(manifest.Layers, d)
	}
	if o.raw, err = json.Marshal(manifest); err != nil {
		return nil, err
	}
	h, err := v1.NewHash(string(digest.Of(o.raw)))
	o.rootd = v1.Descriptor{MediaType: types.OCIManifestSchema1, Digest: h, Size: int64(len(o.raw))}
	return o, err
}

// pick finds the image by name, or takes the only one if it has none.
func pick(images []savedImage, where string, ref reference.Named) (savedImage, error) {
	var names []string
	for _, im := range images {
		for _, tag := range im.RepoTags {
			if sameName(tag, reference.TagNameOnly(ref)) {
				return im, nil
			}
			names = append(names, tag)
		}
	}
	if len(images) == 1 && len(names) == 0 {
		return images[0], nil
	}
	return savedImage{}, Missing.New("cannot find image %s in %s: have %q, need that one", ref, where, names).
		Hint("write the ref in the Spec as the archive names it")
}

// describe hashes a member.
func (o *dockerSave) describe(ctx context.Context, name string, as types.MediaType) (v1.Descriptor, error) {
	f, err := o.members.Open(name)
	if err != nil {
		return v1.Descriptor{}, errNotThere
	}
	head := make([]byte, 2)
	if n, _ := io.ReadFull(f, head); n == 2 && bytes.Equal(head, []byte{0x1f, 0x8b}) && as == types.OCIUncompressedLayer {
		as = types.OCILayer
	}
	if f, err = o.members.Open(name); err != nil {
		return v1.Descriptor{}, err
	}
	d, n, err := digest.Reader(&stoppable{ctx, f})
	if err != nil {
		return v1.Descriptor{}, err
	}
	h, err := v1.NewHash(string(d))
	o.at[h] = name
	return v1.Descriptor{MediaType: as, Size: n, Digest: h}, err
}

// diffIDs are the digests of the uncompressed layers in the configuration.
func (o *dockerSave) diffIDs(config string) ([]v1.Hash, error) {
	raw, err := o.members.read(config, int64(maxSaveManifest))
	if err != nil {
		return nil, err
	}
	c, err := v1.ParseConfigFile(strings.NewReader(string(raw)))
	if err != nil {
		return nil, err
	}
	return c.RootFS.DiffIDs, nil
}

func (o *dockerSave) root(context.Context) (v1.Descriptor, error) { return o.rootd, nil }

func (o *dockerSave) manifest(_ context.Context, d v1.Descriptor) ([]byte, error) {
	if d.Digest != o.rootd.Digest {
		return nil, Missing.New("cannot find manifest %s: have only %s in the archive", d.Digest, o.rootd.Digest).
			Hint("the archive was changed after it was locked: put the right one back, or lock again")
	}
	return o.raw, nil
}

func (o *dockerSave) bring(ctx context.Context, store *bundle.Store, d v1.Descriptor, progress func(done int64)) error {
	f, err := o.members.Open(o.at[d.Digest])
	if err != nil {
		return err
	}
	return put(ctx, store, d, f, progress)
}

func (o *dockerSave) close() { o.done() }

func (m *members) read(name string, limit int64) ([]byte, error) {
	f, err := m.Open(name)
	if err != nil {
		return nil, errNotThere
	}
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(raw)) > limit {
		return nil, BadArchive.New("cannot read %s: have more than %d bytes, need fewer", name, limit)
	}
	return raw, err
}
