package bundle

import (
	"errors"
	"hash"
	"io"
	"io/fs"
	"slices"

	"caisson.dev/caisson/internal/digest"
)

// Verified is a medium of which every byte was checked against its manifest.
// Only Verify makes one, and only it has readers: code that holds a Verified
// cannot read a file that nobody checked. It satisfies images.Reader.
type Verified struct {
	medium   fs.FS
	manifest Manifest
	raw      []byte
	byDigest map[digest.Digest]File
	byPath   map[string]File
}

// Manifest is the medium's manifest, as read.
func (v *Verified) Manifest() Manifest { return v.manifest }

// Raw is the manifest's own bytes: what a signature covers.
func (v *Verified) Raw() []byte { return slices.Clone(v.raw) }

// Digest is the digest of Raw: the identity of everything on the medium.
func (v *Verified) Digest() digest.Digest { return digest.Of(v.raw) }

// Size is the size in bytes of the file with digest d.
func (v *Verified) Size(d digest.Digest) (int64, error) {
	f, err := v.find(d)
	return f.Size, err
}

// Open reads the file with digest d. The bytes are checked once more while they
// are read: a medium can be swapped, and a drive can read differently twice.
// The reader gives io.EOF only after the right bytes; use nothing before.
func (v *Verified) Open(d digest.Digest) (io.ReadCloser, error) {
	f, err := v.find(d)
	if err != nil {
		return nil, err
	}
	return v.open(f)
}

// OpenPath is Open by path on the medium.
func (v *Verified) OpenPath(path string) (io.ReadCloser, error) {
	f, ok := v.byPath[path]
	if !ok {
		return nil, MediaMissingFile.New("cannot open %s: have no such file in the manifest, need one", path)
	}
	return v.open(f)
}

func (v *Verified) find(d digest.Digest) (File, error) {
	f, ok := v.byDigest[d]
	if !ok {
		return File{}, MediaMissingFile.New("cannot open %q: have no file of that digest in the manifest, need one: %w", d, fs.ErrNotExist)
	}
	return f, nil
}

func (v *Verified) open(f File) (io.ReadCloser, error) {
	r, err := v.medium.Open(f.Path)
	if err != nil {
		return nil, unreadable(f, 0, err)
	}
	return &checkedReader{r: r, hash: digest.New(), file: f}, nil
}

// checkedReader turns EOF into MEDIA-DAMAGED unless the bytes were the right ones.
type checkedReader struct {
	r    fs.File
	hash hash.Hash
	file File
	n    int64
	err  error
}

func (c *checkedReader) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.r.Read(p)
	c.hash.Write(p[:n])
	c.n += int64(n)
	switch {
	case c.n > c.file.Size:
		n, err = 0, MediaDamaged.New("cannot use %s: have more than %d bytes, need %d", c.file.Path, c.file.Size, c.file.Size).Hint(swapped)
	case err == io.EOF:
		if have := digest.FromSum(c.hash.Sum(nil)); have != c.file.Digest {
			err = damaged(c.file, have).Hint(swapped)
		}
	case err != nil:
		err = unreadable(c.file, c.n, err)
	}
	c.err = err
	return n, err
}

const swapped = "the medium was right when it was checked and is not now: it may have been changed, or is failing"

func (c *checkedReader) Close() error { return c.r.Close() }

// asMissing tells whether an open failed because there is no such file.
func asMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
