// Package digest names bytes by their SHA-256 (FIPS 180-4): the one identity
// that inputs, blobs and files have everywhere in Caisson, in the OCI form
// "sha256:<64 lower-case hex>" (OCI image-spec, descriptor, "digests").
//
// It leaves out other algorithms on purpose: one algorithm means that no input
// can choose a weaker one. It is a leaf: it imports nothing of Caisson.
package digest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
)

const prefix = "sha256:"

// Digest is "sha256:<hex>". The zero value means "not known".
type Digest string

// Parse accepts the OCI form and nothing else.
func Parse(s string) (Digest, error) {
	hexa, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return "", fmt.Errorf("cannot read digest %q: want the form sha256:<64 hex digits>", s)
	}
	if raw, err := hex.DecodeString(hexa); err != nil || len(raw) != sha256.Size || strings.ToLower(hexa) != hexa {
		return "", fmt.Errorf("cannot read digest %q: want 64 lower-case hex digits after sha256:", s)
	}
	return Digest(s), nil
}

// FromHex makes a Digest of 64 hex digits.
func FromHex(s string) (Digest, error) { return Parse(prefix + strings.ToLower(s)) }

// FromSum makes a Digest of a finished SHA-256 sum.
func FromSum(sum []byte) Digest { return Digest(prefix + hex.EncodeToString(sum)) }

// Of is the digest of bytes in memory.
func Of(b []byte) Digest {
	sum := sha256.Sum256(b)
	return FromSum(sum[:])
}

// New is a running SHA-256.
func New() hash.Hash { return sha256.New() }

// Reader reads r to its end; it returns the digest and the number of bytes.
func Reader(r io.Reader) (Digest, int64, error) {
	h := New()
	n, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{r}, make([]byte, 1<<20))
	if err != nil {
		return "", n, err
	}
	return FromSum(h.Sum(nil)), n, nil
}

// File is the digest and size in bytes of the file at path.
func File(path string) (Digest, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	return Reader(f)
}

// Hex is the part after "sha256:".
func (d Digest) Hex() string { return strings.TrimPrefix(string(d), prefix) }

// Short is the first 12 hex digits: for people, never for comparison.
func (d Digest) Short() string {
	if h := d.Hex(); len(h) > 12 {
		return h[:12]
	}
	return d.Hex()
}

// UnmarshalText refuses any other form, so that a decoded Digest is well formed.
func (d *Digest) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = ""
		return nil
	}
	p, err := Parse(string(b))
	*d = p
	return err
}
