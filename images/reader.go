package images

import (
	"io"

	"caisson.dev/caisson/internal/digest"
)

// Reader gives blobs by digest. Readers of manifests must limit what they read.
type Reader interface {
	Open(d digest.Digest) (io.ReadCloser, error)
	Size(d digest.Digest) (int64, error)
}
