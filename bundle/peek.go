package bundle

import "io/fs"

// Peek reads a medium's manifest without comparing any file with it: for
// looking, never for installing.
func Peek(medium fs.FS) (Manifest, error) {
	raw, err := readManifestFile(medium)
	if err != nil {
		return Manifest{}, err
	}
	return ReadManifest(raw)
}
