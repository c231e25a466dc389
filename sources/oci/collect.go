package oci

import (
	"bytes"
	"context"
	"io"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
)

// layersAtOnce bounds parallel downloads within one image.
const layersAtOnce = 3

// Collect brings every blob of the pinned image that its platform needs into the store. The artifacts
// are "<want>", the manifest or index itself, and "<want>/<hex>" for each blob
// below it. Blobs that are there already are not fetched again.
func (s Source) Collect(ctx context.Context, p bundle.Pin, store *bundle.Store, progress bundle.Progress) ([]bundle.Artifact, error) {
	key := "oci " + p.Image.MediaType + " " + string(p.Image.Digest) + " " + p.Want.Name
	if types.MediaType(p.Image.MediaType).IsIndex() {
		key += " " + p.Want.Image.Platform // it decides which children come along
	}
	if done, ok := store.Memo(key); ok {
		return done, nil
	}
	o, err := s.open(ctx, p.Want)
	if err != nil {
		return nil, err
	}
	defer o.close()
	root, err := rootOf(ctx, o, p)
	if err != nil {
		return nil, err
	}
	c := collector{o: o, store: store, name: p.Want.Name, total: p.Image.Size, progress: progress}
	c.group.SetLimit(layersAtOnce)
	var artifacts []bundle.Artifact
	err = walk(ctx, o, root, p.Want.Image.Platform, func(d v1.Descriptor, raw []byte) error {
		a := bundle.Artifact{Name: p.Want.Name + "/" + d.Digest.Hex, Digest: digest.Digest(d.Digest.String()), Size: d.Size, Mode: 0o644, Source: sourceOf(p.Want.Image)}
		if len(artifacts) == 0 {
			a.Name = p.Want.Name
		}
		artifacts = append(artifacts, a)
		c.bring(ctx, d, raw)
		return nil
	})
	if werr := c.group.Wait(); err == nil {
		err = werr
	}
	if err != nil {
		return nil, err
	}
	return artifacts, store.SetMemo(key, artifacts)
}

// rootOf finds the pinned digest again. From a registry it is asked for by
// digest; in a folder or archive it is a blob like any other.
func rootOf(ctx context.Context, o origin, p bundle.Pin) (v1.Descriptor, error) {
	hash, err := v1.NewHash(string(p.Image.Digest))
	if err != nil {
		return v1.Descriptor{}, err
	}
	root := v1.Descriptor{MediaType: types.MediaType(p.Image.MediaType), Digest: hash}
	raw, err := o.manifest(ctx, root)
	if err != nil {
		return root, err
	}
	root.Size = int64(len(raw))
	return root, nil
}

// sourceOf is where the image came from, for manifest and SBOM.
func sourceOf(im *bundle.ImageWant) string {
	switch {
	case im.Layout != "":
		return "oci-layout " + im.Ref
	case im.Archive != "":
		return "oci-archive " + im.Ref
	}
	return "docker://" + im.Ref
}

type collector struct {
	o           origin
	store       *bundle.Store
	name        string
	total, done int64
	progress    bundle.Progress
	group       errgroup.Group
}

// bring starts one blob on its way, or puts the manifest that is at hand.
func (c *collector) bring(ctx context.Context, d v1.Descriptor, raw []byte) {
	c.group.Go(func() error {
		want := digest.Digest(d.Digest.String())
		if n, err := c.store.Size(want); err == nil && n == d.Size {
			c.advance(d.Size)
			return nil
		}
		var had int64
		progress := func(done int64) {
			c.advance(done - had)
			had = done
		}
		if raw != nil {
			return put(ctx, c.store, d, bytes.NewReader(raw), progress)
		}
		return c.o.bring(ctx, c.store, d, progress)
	})
}

func (c *collector) advance(n int64) {
	at := atomic.AddInt64(&c.done, n)
	if c.progress != nil {
		c.progress(c.name, at, c.total)
	}
}

// put puts a blob that lies on this machine.
func put(ctx context.Context, store *bundle.Store, d v1.Descriptor, r io.Reader, progress func(done int64)) error {
	// One byte more than stated is enough to know that the blob is wrong.
	_, n, err := store.Put(ctx, io.LimitReader(&counted{r: r, progress: progress}, d.Size+1), digest.Digest(d.Digest.String()))
	if err == nil && n != d.Size {
		return otherSize(d, n)
	}
	return err
}

func otherSize(d v1.Descriptor, n int64) error {
	return BadDescriptor.New("cannot use blob %s: have %d bytes, need %d as its manifest says", nameOf(d), n, d.Size)
}

type counted struct {
	r        io.Reader
	n        int64
	progress func(done int64)
}

func (r *counted) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.n += int64(n)
	r.progress(r.n)
	return n, err
}
