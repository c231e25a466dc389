package bundle

import (
	"fmt"
	"io"
	"io/fs"
	"path"

	"caisson.dev/caisson/internal/digest"
)

// maxSum is far above the one line that the checksum file holds.
const maxSum = 4 << 10

// SealManifest gives the files that end a medium: the manifest, and its checksum
// in the form of sha256sum(1). The checksum finds damage of the manifest itself:
// a flipped bit in a path or a mode may still read well. It proves nothing about
// who wrote it; that is a signature's part.
func SealManifest(raw []byte) map[string][]byte {
	return map[string][]byte{ManifestPath: raw, SumPath: sumLine(raw)}
}

func sumLine(raw []byte) []byte {
	return fmt.Appendf(nil, "%s  %s\n", digest.Of(raw).Hex(), path.Base(ManifestPath))
}

// readManifestFile reads the manifest with a limit, before anything is known of
// it, and holds it against its checksum.
func readManifestFile(medium fs.FS) ([]byte, error) {
	raw, err := readLimited(medium, ManifestPath, int64(maxManifest))
	if err != nil {
		return nil, err
	}
	sum, err := readLimited(medium, SumPath, maxSum)
	if err != nil {
		return nil, err
	}
	if want := sumLine(raw); string(sum) != string(want) {
		return nil, ManifestDamaged.New("cannot use %s: have %q in %s, need %q", ManifestPath, sum, path.Base(SumPath), want).Hint(rewrite)
	}
	return raw, nil
}

// readLimited reads at most one byte more than limit, for the caller to refuse.
func readLimited(medium fs.FS, name string, limit int64) ([]byte, error) {
	f, err := medium.Open(name)
	if err != nil {
		if asMissing(err) {
			return nil, MediaForeign.New("cannot use the medium: have no %s, need one", name).
				Hint("this is not a Caisson medium, or a copy that lost files: use the ISO itself, not a copy of what is in it")
		}
		return nil, MediaDamaged.New("cannot read %s: %w", name, err).Hint(rewrite)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, MediaDamaged.New("cannot read %s: %w", name, err).Hint(rewrite)
	}
	return raw, nil
}
