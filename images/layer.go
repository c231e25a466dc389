package images

import (
	"archive/tar"
	"context"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	godigest "github.com/opencontainers/go-digest"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
)

// made is a finished layer.
type made struct {
	blob   digest.Digest   // compressed
	size   int64           // compressed, bytes
	diffID godigest.Digest // of the tar itself (OCI image-spec, "Layer DiffID")
}

// make brings the layer into the store, or finds it there.
func (p layerPlan) make(ctx context.Context, store *bundle.Store) (made, error) {
	raw, err := canon.JSON(p)
	if err != nil {
		return made{}, err
	}
	key := string(raw)
	unlock, err := store.Lock(ctx, key)
	if err != nil {
		return made{}, err
	}
	defer unlock()
	if a, ok := store.Memo(key); ok && len(a) == 1 {
		return made{blob: a[0].Digest, size: a[0].Size, diffID: godigest.Digest(a[0].Name)}, nil
	}
	scratch, err := store.TempDir("layer")
	if err != nil {
		return made{}, err
	}
	defer os.RemoveAll(scratch)
	t, err := p.gather(store, scratch)
	if err != nil {
		return made{}, err
	}
	defer t.close()
	m, err := t.store(ctx, store, p.Epoch)
	if err != nil {
		return made{}, err
	}
	// The memo keeps artifacts; the layer's name is the one thing more that the
	// image's config needs.
	return m, store.SetMemo(key, []bundle.Artifact{{Name: m.diffID.String(), Digest: m.blob, Size: m.size}})
}

// node is one path of a layer.
type node struct {
	kind   byte   // tar's type flag: file, folder, symbolic link
	mode   int64  // permission bits, and the sticky bit of folders
	target string // of a symbolic link; for a hard link, the file of the same layer
	size   int64
	open   func() (io.ReadCloser, error) // a file's bytes
}

// tree is a layer before it is written.
type tree struct {
	image string
	nodes map[string]node // by clean relative path
	spool *os.File        // bytes of package files, one behind the other
}

// aliases are the folders that Debian has merged into /usr (UsrMerge).
var aliases = []string{"bin", "lib", "lib64", "sbin"}

// gather makes the tree that the plan describes.
func (p layerPlan) gather(store *bundle.Store, scratch string) (*tree, error) {
	t := &tree{image: p.image, nodes: map[string]node{}}
	for _, f := range p.Files {
		name := f.Path
		if p.Merged {
			name = unaliased(name)
		}
		n := node{kind: tar.TypeReg, mode: f.Mode, size: f.Size, open: func() (io.ReadCloser, error) { return store.Open(f.Digest) }}
		if _, ok := t.nodes[name]; ok {
			return nil, ErrRecipeInvalid.New("cannot assemble image %s: have two files at /%s, need one", p.image, name)
		}
		t.nodes[name] = n
	}
	if len(p.Packages) > 0 {
		spool, err := os.Create(filepath.Join(scratch, "spool"))
		if err != nil {
			return nil, err
		}
		t.spool = spool
		if err := t.unpack(store, p.Packages); err != nil {
			t.close()
			return nil, err
		}
	}
	if err := t.parents(); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *tree) close() {
	if t.spool != nil {
		_ = t.spool.Close()
	}
}

// parents adds the folders that nobody named, and refuses files below files.
func (t *tree) parents() error {
	for _, name := range t.names() {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			n, ok := t.nodes[dir]
			if !ok {
				t.nodes[dir] = node{kind: tar.TypeDir, mode: 0o755}
				continue
			}
			if n.kind != tar.TypeDir {
				kind := ErrRecipeInvalid
				if t.spool != nil {
					kind = ErrPackageRefused
				}
				return kind.New("cannot assemble image %s: /%s lies below /%s, which is not a folder", t.image, name, dir)
			}
		}
	}
	return nil
}

// names is every path, sorted: folders come before what is in them.
func (t *tree) names() []string {
	names := make([]string, 0, len(t.nodes))
	for name := range t.nodes {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// store writes the layer into the store as it is made: tar, zstd, two digests.
func (t *tree) store(ctx context.Context, store *bundle.Store, epoch int64) (made, error) {
	pr, pw := io.Pipe()
	diff := digest.New()
	go func() {
		pw.CloseWithError(t.compress(pw, diff, time.Unix(epoch, 0)))
	}()
	d, n, err := store.Put(ctx, pr, "")
	_ = pr.CloseWithError(fs.ErrClosed) // ends the writer if Put stopped early
	if err != nil {
		return made{}, err
	}
	return made{blob: d, size: n, diffID: godigest.Digest(digest.FromSum(diff.Sum(nil)))}, nil
}

// compress writes the zstd stream to w and the plain tar to plain. One thread:
// with more, the blocks' borders would still be the same, but nobody promises it.
func (t *tree) compress(w, plain io.Writer, mtime time.Time) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBetterCompression))
	if err != nil {
		return err
	}
	if err := t.write(io.MultiWriter(z, plain), mtime); err != nil {
		_ = z.Close()
		return err
	}
	return z.Close()
}

// write writes the tar: sorted, owner root, one time for all. Of several hard
// links the first in this order carries the bytes.
func (t *tree) write(w io.Writer, mtime time.Time) error {
	out := tar.NewWriter(w)
	first := map[string]string{} // file -> the name that was written with its bytes
	for _, name := range t.names() {
		n := t.nodes[name]
		hdr := &tar.Header{Typeflag: n.kind, Name: name, Mode: n.mode, ModTime: mtime}
		switch n.kind {
		case tar.TypeDir:
			hdr.Name += "/"
		case tar.TypeSymlink:
			hdr.Linkname = n.target
		case tar.TypeReg:
			origin := name
			if n.target != "" {
				origin = n.target
			}
			if earlier, ok := first[origin]; ok {
				hdr.Typeflag, hdr.Linkname = tar.TypeLink, earlier
				break
			}
			first[origin] = name
			hdr.Size = n.size
		}
		if err := out.WriteHeader(hdr); err != nil {
			return err
		}
		if hdr.Typeflag != tar.TypeReg {
			continue
		}
		if err := copyNode(out, n); err != nil {
			return err
		}
	}
	return out.Close()
}

func copyNode(w io.Writer, n node) error {
	r, err := n.open()
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(w, r) // tar refuses more or fewer bytes than the header says
	return err
}

// layerPath is an absolute path without its slash, if it is clean.
func layerPath(p string) (string, bool) {
	rel, ok := strings.CutPrefix(p, "/")
	return rel, ok && rel != "." && fs.ValidPath(rel) && !whiteout(rel)
}

// whiteout reports names that mean "delete" in a layer (OCI image-spec,
// "Whiteouts").
func whiteout(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".wh.") {
			return true
		}
	}
	return false
}
