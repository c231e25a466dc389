package bundle

import (
	"io/fs"

	"caisson.dev/caisson/internal/digest"
)

// Peek reads a medium's manifest without comparing any file with it: for
// looking, never for installing. The digest is the manifest's own.
func Peek(medium fs.FS) (Manifest, digest.Digest, error) {
	raw, err := readManifestFile(medium)
	if err != nil {
		return Manifest{}, "", err
	}
	m, err := ReadManifest(raw)
	return m, digest.Of(raw), err
}
