package images

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	imagespec "github.com/opencontainers/image-spec/specs-go/v1"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
)

// Inputs is what recipes name.
type Inputs struct {
	Artifacts map[string]bundle.Artifact   // by artifact name, for Layer.Files
	Packages  map[string][]bundle.Artifact // .deb files by Want name, for Layer.Packages
}

// Assemble makes a recipe's image and puts its blobs into the store: a
// linux/amd64 OCI image with one zstd layer for each Layer (containerd reads
// such layers since 1.5). Same recipe, artifacts and epoch, same bytes: nothing
// of the time, the machine or the store goes in.
//
// Layers that were made before are taken from the store's memo. epoch is in
// Unix seconds.
func Assemble(ctx context.Context, recipe Recipe, in Inputs, store *bundle.Store, epoch int64) (bundle.ImageEntry, error) {
	name, err := ParseRef(recipe.Ref)
	if err != nil {
		return bundle.ImageEntry{}, err
	}
	if name.Tag == "" || name.Digest != "" {
		return bundle.ImageEntry{}, ErrRefInvalid.New("cannot assemble image %s: its digest is known only afterwards, need a tag and no digest", recipe.Ref)
	}
	plans, err := planLayers(recipe, in, epoch)
	if err != nil {
		return bundle.ImageEntry{}, err
	}
	manifest := indexedManifest{SchemaVersion: 2, MediaType: mediaOCIManifest, Layers: []descriptor{}}
	created := time.Unix(epoch, 0).UTC()
	config := imagespec.Image{
		Created:  &created,
		Platform: imagespec.Platform{Architecture: "amd64", OS: "linux"},
		Config: imagespec.ImageConfig{
			User: recipe.User, Env: recipe.Env, Entrypoint: recipe.Entrypoint, Cmd: recipe.Cmd,
		},
		RootFS: imagespec.RootFS{Type: "layers"},
	}
	for _, p := range plans {
		made, err := p.make(ctx, store)
		if err != nil {
			return bundle.ImageEntry{}, err
		}
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, made.diffID)
		manifest.Layers = append(manifest.Layers, descriptor{MediaType: mediaOCILayerZstd, Digest: made.blob, Size: made.size})
	}
	if manifest.Config, err = putJSON(ctx, store, mediaOCIConfig, config); err != nil {
		return bundle.ImageEntry{}, err
	}
	top, err := putJSON(ctx, store, mediaOCIManifest, manifest)
	if err != nil {
		return bundle.ImageEntry{}, err
	}
	entry := bundle.ImageEntry{Ref: name.String(), MediaType: top.MediaType, Digest: top.Digest, Size: top.Size}
	blobs, err := Closure(store, entry)
	entry.Total = Total(blobs)
	return entry, err
}

// indexedManifest is an OCI image manifest as we write it.
type indexedManifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        descriptor   `json:"config"`
	Layers        []descriptor `json:"layers"`
}

func putJSON(ctx context.Context, store *bundle.Store, mediaType string, v any) (descriptor, error) {
	raw, err := canon.JSON(v)
	if err != nil {
		return descriptor{}, err
	}
	d, n, err := store.Put(ctx, bytes.NewReader(raw), "")
	return descriptor{MediaType: mediaType, Digest: d, Size: n}, err
}

// layerPlan is all that a layer's bytes depend on: its canonical form is the
// memo's key. Exactly one of Files and Packages is set.
type layerPlan struct {
	Format   string          `json:"format"` // raised when the writer's output changes
	Epoch    int64           `json:"epoch"`
	Merged   bool            `json:"merged,omitempty"` // a Packages layer makes /bin a link: files go to /usr/bin
	Files    []plannedFile   `json:"files,omitempty"`
	Packages []digest.Digest `json:"packages,omitempty"` // .deb blobs, in the order of their artifacts' names

	image string // for messages
}

type plannedFile struct {
	Path   string        `json:"path"` // relative, clean
	Mode   int64         `json:"mode"` // permission bits
	Digest digest.Digest `json:"digest"`
	Size   int64         `json:"size"`
}

// planLayers looks every artifact up, so that a wrong recipe fails before any
// work is done.
func planLayers(recipe Recipe, in Inputs, epoch int64) ([]layerPlan, error) {
	bad := func(format string, args ...any) error {
		return ErrRecipeInvalid.New("cannot assemble image %s: "+format, append([]any{recipe.Ref}, args...)...)
	}
	merged := false
	for _, l := range recipe.Layers {
		merged = merged || l.Packages != ""
	}
	var plans []layerPlan
	for i, l := range recipe.Layers {
		p := layerPlan{Format: "caisson-layer/1", Epoch: epoch, Merged: merged, image: recipe.Ref}
		if (len(l.Files) > 0) == (l.Packages != "") {
			return nil, bad("layer %d has %d files and packages of %q, need exactly one of the two", i, len(l.Files), l.Packages)
		}
		for _, f := range l.Files {
			a, ok := in.Artifacts[f.Artifact]
			if !ok {
				return nil, bad("have no artifact %q, need it at %s", f.Artifact, f.Path)
			}
			path, ok := layerPath(f.Path)
			if !ok {
				return nil, bad("have the path %q for artifact %s, need a clean absolute path", f.Path, f.Artifact)
			}
			p.Files = append(p.Files, plannedFile{Path: path, Mode: int64(f.Mode & 0o777), Digest: a.Digest, Size: a.Size})
		}
		if l.Packages != "" {
			if p.Packages = sortedDigests(in.Packages[l.Packages]); len(p.Packages) == 0 {
				return nil, bad("have no packages of %q, need at least one", l.Packages)
			}
		}
		plans = append(plans, p)
	}
	if len(plans) == 0 {
		return nil, bad("it has no layers, need at least one")
	}
	return plans, nil
}

// sortedDigests is the packages' digests, in the order of their names.
func sortedDigests(packages []bundle.Artifact) []digest.Digest {
	byName := slices.SortedFunc(slices.Values(packages), func(a, b bundle.Artifact) int { return strings.Compare(a.Name, b.Name) })
	var out []digest.Digest
	for _, a := range byName {
		out = append(out, a.Digest)
	}
	return out
}
