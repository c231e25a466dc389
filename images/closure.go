package images

import (
	"errors"
	"io"
	"io/fs"
	"sort"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
)

// Kind says what a blob is to its image.
type Kind string

// The kinds of blob.
const (
	KindIndex    Kind = "index"    // an OCI index or a Docker manifest list
	KindManifest Kind = "manifest" // an image manifest
	KindConfig   Kind = "config"
	KindLayer    Kind = "layer"
)

// Blob is one blob that an image needs.
type Blob struct {
	Digest    digest.Digest
	Size      int64 // bytes
	MediaType string
	Kind      Kind
}

// Served reports whether clients ask for the blob under /manifests/ (and not
// under /blobs/), which is what a registry must be told of each.
func (b Blob) Served() bool { return b.Kind == KindIndex || b.Kind == KindManifest }

// Limits on what a manifest may be. 4 MiB is what registries and containerd
// read at most (OCI distribution-spec, "Pushing manifests").
const (
	maxManifest    = 4 << 20
	maxDepth       = 4      // indexes within indexes
	maxDescriptors = 10_000 // of one image
)

// Closure lists every blob that a linux/amd64 node needs of an image, the
// image's own manifest first, each blob once for each kind it serves as. It
// reads the manifests, checks their digests, and holds every blob's size
// against its descriptor; it does not hash layers (bundle.Verify does that, in
// the medium's order).
//
// Children of an index for other platforms may be absent as a whole: a pinned
// index keeps its digest without bytes that no node here can run. A child that
// is there must be whole.
func Closure(r Reader, e bundle.ImageEntry) ([]Blob, error) {
	w := walker{r: r, ref: e.Ref, seen: map[key]bool{}}
	top := descriptor{MediaType: e.MediaType, Digest: e.Digest, Size: e.Size}
	if err := w.manifest(top, 0); err != nil {
		return nil, err
	}
	return w.blobs, nil
}

type key struct {
	d digest.Digest
	k Kind
}

type walker struct {
	r     Reader
	ref   string
	seen  map[key]bool
	blobs []Blob
}

// manifest visits a manifest or index and what it names.
func (w *walker) manifest(d descriptor, depth int) error {
	kind := kindOf(d.MediaType)
	if w.seen[key{d.Digest, kind}] {
		return nil
	}
	if depth > maxDepth {
		return w.refuse(d, "indexes lie %d deep, need at most %d", depth, maxDepth)
	}
	if d.Size > maxManifest {
		return w.refuse(d, "have %d bytes, need at most %d", d.Size, maxManifest)
	}
	if err := w.add(d, kind); err != nil {
		return err
	}
	raw, err := w.read(d)
	if err != nil {
		return err
	}
	doc, why := parseManifest(raw, d.MediaType)
	if why != "" {
		return w.refuse(d, "%s", why)
	}
	for _, c := range doc.Manifests {
		if !c.Platform.ours() {
			if _, err := w.r.Size(c.Digest); errors.Is(err, fs.ErrNotExist) {
				continue
			}
		}
		if err := w.manifest(c, depth+1); err != nil {
			return err
		}
	}
	if doc.Config != nil {
		if err := w.add(*doc.Config, KindConfig); err != nil {
			return err
		}
	}
	for _, l := range doc.Layers {
		if err := w.add(l, KindLayer); err != nil {
			return err
		}
	}
	return nil
}

// add notes a blob after holding its size against the descriptor.
func (w *walker) add(d descriptor, kind Kind) error {
	k := key{d.Digest, kind}
	if w.seen[k] {
		return nil
	}
	if len(w.blobs) >= maxDescriptors {
		return w.refuse(d, "the image has more than %d blobs", maxDescriptors)
	}
	size, err := w.r.Size(d.Digest)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ErrBlobMissing.New("cannot complete image %s: have no blob %s, need it as its %s", w.ref, d.Digest, kind).
			Hint("the image was carried only in part; run caisson pull again, then build again")
	case err != nil:
		return ErrBlobMissing.New("cannot complete image %s: blob %s cannot be read: %w", w.ref, d.Digest, err)
	case size != d.Size:
		return ErrBlobDiffers.New("cannot use blob %s of image %s: have %d bytes, need %d", d.Digest, w.ref, size, d.Size).
			Hint("the blob is damaged or cut short; remove it from the store and pull again")
	}
	w.seen[k] = true
	w.blobs = append(w.blobs, Blob{Digest: d.Digest, Size: size, MediaType: d.MediaType, Kind: kind})
	return nil
}

// read returns a manifest's bytes, of exactly the size and digest stated.
func (w *walker) read(d descriptor) ([]byte, error) {
	f, err := w.r.Open(d.Digest)
	if err != nil {
		return nil, ErrBlobMissing.New("cannot complete image %s: manifest %s cannot be read: %w", w.ref, d.Digest, err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, d.Size+1))
	if err != nil {
		return nil, ErrBlobMissing.New("cannot complete image %s: manifest %s cannot be read: %w", w.ref, d.Digest, err)
	}
	if have := digest.Of(raw); have != d.Digest {
		return nil, ErrBlobDiffers.New("cannot use manifest %s of image %s: have digest %s, need %s", d.Digest, w.ref, have, d.Digest).
			Hint("the blob is damaged; remove it from the store and pull again")
	}
	return raw, nil
}

func (w *walker) refuse(d descriptor, format string, args ...any) error {
	return ErrManifestRefused.New("cannot use manifest %s of image %s: "+format, append([]any{d.Digest, w.ref}, args...)...)
}

// Total is the bytes of all blobs, each digest counted once.
func Total(blobs []Blob) int64 {
	seen := make(map[digest.Digest]bool, len(blobs))
	var n int64
	for _, b := range blobs {
		if !seen[b.Digest] {
			seen[b.Digest] = true
			n += b.Size
		}
	}
	return n
}

// Dedupe is every blob that the images need, each digest once, sorted by
// digest; and the bytes that the images would take if nothing were shared.
func Dedupe(r Reader, entries []bundle.ImageEntry) (blobs []Blob, apart int64, err error) {
	seen := map[digest.Digest]bool{}
	for _, e := range entries {
		own, err := Closure(r, e)
		if err != nil {
			return nil, 0, err
		}
		apart += Total(own)
		for _, b := range own {
			if !seen[b.Digest] {
				seen[b.Digest] = true
				blobs = append(blobs, b)
			}
		}
	}
	sort.Slice(blobs, func(i, j int) bool { return blobs[i].Digest < blobs[j].Digest })
	return blobs, apart, nil
}
