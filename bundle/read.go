package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/size"
)

// Limits of a Manifest. It is read before anything of the medium is trusted, so
// each bound is far above a real medium and far below what would hurt.
const (
	maxManifest = 64 * size.MiB
	maxFiles    = 200_000
	maxPath     = 1024
	maxName     = 255 // one element; ISO 9660 with Rock Ridge and ext4 alike
	maxFaults   = 20  // of one kind that are printed; the rest is counted
)

// manifestKind is Manifest.Kind.
const manifestKind = "Manifest"

// kinds are the values of File.Kind.
var kinds = []string{"boot", "os", "payload", "image", "meta"}

// ReadManifest reads a Manifest strictly: unknown fields, hostile or repeated
// paths, and digests that no file of the medium has are refused, all at once.
// What it accepts names every byte that the rest of the program may touch.
func ReadManifest(raw []byte) (Manifest, error) {
	if int64(len(raw)) > int64(maxManifest) {
		return Manifest{}, ManifestDamaged.New("cannot read the manifest: have %d bytes, need at most %d", len(raw), int64(maxManifest))
	}
	var m Manifest
	if err := canon.Decode(raw, &m); err != nil {
		return Manifest{}, ManifestDamaged.New("cannot read the manifest: %w", err)
	}
	if m.APIVersion != apiVersion || m.Kind != manifestKind {
		return Manifest{}, ManifestDamaged.New("cannot read the manifest: have %q %q, need %q %q", m.APIVersion, m.Kind, apiVersion, manifestKind).
			Hint("the medium may be made for another version of caisson")
	}
	if len(m.Files) == 0 || len(m.Files) > maxFiles {
		return Manifest{}, ManifestDamaged.New("cannot read the manifest: have %d files, need 1 to %d", len(m.Files), maxFiles)
	}
	if err := errors.Join(m.checkPaths(), m.checkDigests()); err != nil {
		return Manifest{}, err
	}
	return m, nil
}

// checkPaths holds every file's path against the rules of a medium.
func (m Manifest) checkPaths() error {
	var errs faults
	seen := map[string]bool{}
	for _, f := range m.Files {
		if why := badPath(f.Path); why != "" {
			errs.add(ManifestBadPath.New("cannot use path %q of the manifest: have %s, need a clean relative path", f.Path, why))
			continue
		}
		if f.Path == ManifestPath || f.Path == SumPath {
			errs.add(ManifestBadPath.New("cannot use path %q of the manifest: have the manifest itself, need only other files", f.Path))
		}
		if seen[f.Path] {
			errs.add(ManifestPathTwice.New("cannot use path %q of the manifest: have it twice, need it once", f.Path))
		}
		seen[f.Path] = true
		if f.Size < 0 || f.Digest == "" || !slices.Contains(kinds, f.Kind) {
			errs.add(ManifestDamaged.New("cannot use %q of the manifest: have size %d, digest %q, kind %q, need a size, a digest and one of %s",
				f.Path, f.Size, f.Digest, f.Kind, strings.Join(kinds, ", ")))
		}
		if dir, name := path.Split(f.Path); dir == BlobDir+"/" && name != f.Digest.Hex() {
			errs.add(ManifestBadPath.New("cannot use path %q of the manifest: have a blob's name, need it to be its digest %s", f.Path, f.Digest))
		}
	}
	for p := range seen {
		for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
			if seen[dir] {
				errs.add(ManifestPathTwice.New("cannot use path %q of the manifest: have it as a file and as the folder of %q", dir, p))
			}
		}
	}
	return errs.join()
}

// badPath says what is wrong with a path of the medium, or "".
func badPath(p string) string {
	switch {
	case p == "" || p == ".":
		return "no name"
	case len(p) > maxPath:
		return fmt.Sprintf("%d bytes, of at most %d", len(p), maxPath)
	case !utf8.ValidString(p):
		return "bytes that are not UTF-8"
	case !fs.ValidPath(p):
		return "an absolute path, or an element that is empty, . or .."
	case strings.ContainsFunc(p, func(r rune) bool { return unicode.IsControl(r) || r == '\\' }):
		return "a control character or backslash"
	}
	for e := range strings.SplitSeq(p, "/") {
		if len(e) > maxName {
			return fmt.Sprintf("an element of %d bytes, of at most %d", len(e), maxName)
		}
	}
	return ""
}

// checkDigests demands that everything the manifest speaks of is one of its
// files, with that size.
func (m Manifest) checkDigests() error {
	var errs faults
	sizes := map[digest.Digest]int64{}
	for _, f := range m.Files {
		if have, ok := sizes[f.Digest]; ok && have != f.Size {
			errs.add(ManifestDamaged.New("cannot use %q of the manifest: have %d bytes, need the %d that another file of digest %s has", f.Path, f.Size, have, f.Digest))
		}
		sizes[f.Digest] = f.Size
	}
	need := func(what string, d digest.Digest, n int64) {
		have, ok := sizes[d]
		switch {
		case !ok:
			errs.add(ManifestIncomplete.New("cannot find %s on the medium: have no file with digest %q, need one", what, d))
		case have != n:
			errs.add(ManifestIncomplete.New("cannot use %s: have %d bytes of digest %s, need %d", what, have, d, n))
		}
	}
	if os := m.OS; os.Image != "" {
		need("the node OS", os.Image, os.Size)
		if os.HashOffset < 0 || os.HashOffset > os.Size {
			errs.add(ManifestDamaged.New("cannot use the node OS: have a hash tree at byte %d, need one within its %d bytes", os.HashOffset, os.Size))
		}
		for name, b := range os.Boot {
			need("boot file "+name, b.Digest, b.Size)
		}
	}
	if s := m.Secrets; s != nil {
		errs.add(s.check())
		need("the sealed secrets", s.Digest, s.Size)
	}
	to := map[string]bool{}
	for _, p := range m.Payload {
		if why := badPath(strings.TrimPrefix(p.Path, "/")); why != "" || !strings.HasPrefix(p.Path, "/") {
			errs.add(ManifestBadPath.New("cannot use payload path %q: have %s, need a clean absolute path", p.Path, why))
		}
		if to[p.Path] {
			errs.add(ManifestPathTwice.New("cannot use payload path %q: have it twice, need it once", p.Path))
		}
		to[p.Path] = true
		if p.Mode&^0o7777 != 0 {
			errs.add(ManifestDamaged.New("cannot use payload %q: have mode %#o, need permission bits only", p.Path, uint32(p.Mode)))
		}
		need("payload "+p.Path, p.Digest, p.Size)
	}
	refs := map[string]bool{}
	for _, im := range m.Images {
		if im.Ref == "" || refs[im.Ref] {
			errs.add(ManifestDamaged.New("cannot use image %q of the manifest: need each name once, and not empty", im.Ref))
		}
		refs[im.Ref] = true
		need("image "+im.Ref, im.Digest, im.Size)
	}
	return errs.join()
}

// faults gathers errors and keeps a hostile file from making megabytes of them.
type faults struct {
	errs []error
	more int
}

func (f *faults) add(err error) {
	if err == nil {
		return
	}
	if len(f.errs) >= maxFaults {
		f.more++
		return
	}
	f.errs = append(f.errs, err)
}

func (f *faults) join() error {
	slices.SortStableFunc(f.errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	if f.more > 0 {
		f.errs = append(f.errs, fmt.Errorf("and %d more", f.more))
	}
	return errors.Join(f.errs...)
}
