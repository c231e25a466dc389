package oci

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"caisson.dev/caisson/bundle"
)

// Annotations that name an image in a layout's index.json (OCI image-spec,
// "Pre-Defined Annotation Keys", and what containerd and Docker add).
var nameAnnotations = []string{"org.opencontainers.image.ref.name", "io.containerd.image.name"}

// layout is an OCI image layout (OCI image-spec, image-layout.md) in any file
// system: a folder, or the members of a tar file.
type layout struct {
	fsys  fs.FS
	where string
	ref   reference.Named
	pin   string // digest that the author pinned, or ""
	done  func()
}

func openLayout(dir string, ref reference.Named, im bundle.ImageWant) (origin, error) {
	root, err := os.OpenRoot(dir) // links that lead out of the folder are refused
	if err != nil {
		return nil, BadArchive.New("cannot open image layout %s: %w", dir, err).Hint("paths in the Spec start at the Spec's own folder")
	}
	l := &layout{fsys: root.FS(), where: dir, ref: ref, pin: string(im.Digest), done: func() { _ = root.Close() }}
	if err := l.check(); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *layout) check() error {
	raw, err := l.read("oci-layout", int64(maxManifest))
	if err != nil {
		return err
	}
	var version struct {
		Version string `json:"imageLayoutVersion"`
	}
	if err := json.Unmarshal(raw, &version); err != nil || !strings.HasPrefix(version.Version, "1.") {
		return BadArchive.New("cannot use image layout %s: have version %q, need 1.x", l.where, version.Version)
	}
	return nil
}

// root looks the image up in index.json: by the pinned digest, by its full
// name, by its tag, or as the only one there is.
func (l *layout) root(context.Context) (v1.Descriptor, error) {
	raw, err := l.read("index.json", int64(maxManifest))
	if err != nil {
		return v1.Descriptor{}, err
	}
	index, err := v1.ParseIndexManifest(strings.NewReader(string(raw)))
	if err != nil {
		return v1.Descriptor{}, BadArchive.New("cannot read index.json of %s: %w", l.where, err)
	}
	if l.pin != "" {
		for _, d := range index.Manifests {
			if d.Digest.String() == l.pin {
				return d, nil
			}
		}
	}
	var named []string
	full := reference.TagNameOnly(l.ref)
	tag := ""
	if t, ok := full.(reference.Tagged); ok {
		tag = t.Tag()
	}
	for _, exact := range []bool{true, false} {
		for _, d := range index.Manifests {
			for _, key := range nameAnnotations {
				have := d.Annotations[key]
				if have == "" {
					continue
				}
				named = append(named, have)
				if exact && sameName(have, full) || !exact && have == tag {
					return d, nil
				}
			}
		}
	}
	if len(index.Manifests) == 1 && len(named) == 0 {
		return index.Manifests[0], nil
	}
	return v1.Descriptor{}, Missing.New("cannot find image %s in %s: have %d images named %q, need that one", l.ref, l.where, len(index.Manifests), named).
		Hint("write the ref in the Spec as the layout's index.json names it, or pin its digest")
}

func sameName(text string, want reference.Named) bool {
	have, err := reference.ParseNormalizedNamed(text)
	return err == nil && reference.TagNameOnly(have).String() == want.String()
}

func (l *layout) manifest(_ context.Context, d v1.Descriptor) ([]byte, error) {
	return l.read(blobPath(d), int64(maxManifest))
}

func (l *layout) bring(ctx context.Context, store *bundle.Store, d v1.Descriptor, progress func(done int64)) error {
	f, err := l.fsys.Open(blobPath(d))
	if err != nil {
		return l.missing(blobPath(d), err)
	}
	defer f.Close()
	return put(ctx, store, d, f, progress)
}

func (l *layout) close() { l.done() }

func blobPath(d v1.Descriptor) string { return "blobs/" + d.Digest.Algorithm + "/" + d.Digest.Hex }

func (l *layout) read(name string, limit int64) ([]byte, error) {
	f, err := l.fsys.Open(name)
	if err != nil {
		return nil, l.missing(name, err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = errors.New("it is larger than any manifest may be")
	}
	if err != nil {
		return nil, BadArchive.New("cannot read %s of %s: %w", name, l.where, err)
	}
	return raw, nil
}

func (l *layout) missing(name string, err error) error {
	return BadArchive.New("cannot read %s of %s: %w", name, l.where, err).
		Hint("it is not a complete OCI image layout: copy it again, or save the image again")
}
