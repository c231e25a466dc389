package bundle

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/spec"
)

const (
	apiVersion = spec.APIVersion
	lockKind   = "Lock"
	// maxLock is far above any real Lock (a few hundred KiB) and far below what
	// would hurt the machine that reads it.
	maxLock = 64 * size.MiB
)

// ReadLock reads a Lock strictly: unknown fields, wrong order, and pins that do
// not fit their Want are refused, all at once.
func ReadLock(raw []byte) (Lock, error) {
	if int64(len(raw)) > int64(maxLock) {
		return Lock{}, LockDamaged.New("cannot read the Lock: have %d bytes, need at most %d", len(raw), int64(maxLock))
	}
	var l Lock
	if err := canon.Decode(raw, &l); err != nil {
		return Lock{}, LockDamaged.New("cannot read the Lock: %w", err).Hint("caisson lock --update writes it anew")
	}
	if l.APIVersion != apiVersion || l.Kind != lockKind {
		return Lock{}, LockDamaged.New("cannot read the Lock: have %q %q, need %q %q", l.APIVersion, l.Kind, apiVersion, lockKind).
			Hint("caisson lock --update writes it anew")
	}
	var errs []error
	if l.Spec == "" {
		errs = append(errs, LockDamaged.New("cannot read the Lock: have no digest of a Spec, need one"))
	}
	for i, p := range l.Pins {
		if i > 0 && p.Want.Name <= l.Pins[i-1].Want.Name {
			errs = append(errs, LockDamaged.New("cannot read the Lock: have %q after %q, need each name once, sorted", p.Want.Name, l.Pins[i-1].Want.Name))
		}
		errs = append(errs, p.Want.check(), p.check())
	}
	if err := errors.Join(errs...); err != nil {
		return Lock{}, err
	}
	return l, nil
}

// WriteLock writes the Lock at path, whole or not at all.
func WriteLock(path string, l Lock) error {
	raw, err := canon.JSON(l)
	if err != nil {
		return err
	}
	if err := writeFileAtomic(path, raw); err != nil {
		return unwritable(path, err, int64(len(raw)))
	}
	return nil
}

// Digest is the Lock's identity: that of the bytes that WriteLock writes.
func (l Lock) Digest() digest.Digest {
	d, err := canon.Digest(l)
	if err != nil {
		panic(fmt.Sprintf("a Lock is plain data, yet it has no JSON form: %v", err))
	}
	return d
}

// For refuses a Lock that belongs to another Spec, or to an earlier text of it.
func (l Lock) For(s spec.Loaded) error {
	if l.Spec == s.Digest {
		return nil
	}
	return LockStale.New("cannot use the Lock: have one for Spec %s, need one for %s", l.Spec, s.Digest).
		Hint("the Spec was changed after it was locked; caisson lock brings the Lock up to date")
}

// Covers refuses a Lock that does not pin exactly these Wants: the Spec is the
// same, but another version of this program wants other things for it.
func (l Lock) Covers(wants []Want) error {
	wants, err := distinct(wants)
	if err != nil {
		return err
	}
	pinned := map[string]Want{}
	for _, p := range l.Pins {
		pinned[p.Want.Name] = p.Want
	}
	var differ []string
	for _, w := range wants {
		if have, ok := pinned[w.Name]; !ok || !sameWant(have, w) {
			differ = append(differ, w.Name)
		}
		delete(pinned, w.Name)
	}
	for name := range pinned {
		differ = append(differ, name)
	}
	if len(differ) == 0 {
		return nil
	}
	slices.Sort(differ)
	return LockStale.New("cannot use the Lock: have other pins than this program needs for %s", strings.Join(differ, ", ")).
		Hint("it was written by another version of caisson; caisson lock brings it up to date")
}

// check says whether the pin is complete and of its Want's kind.
func (p Pin) check() error {
	bad := func(format string, args ...any) error {
		return LockDamaged.New("cannot use the pin of %q: %s", p.Want.Name, fmt.Sprintf(format, args...)).
			Hint("caisson lock --update writes it anew")
	}
	w := p.Want
	if (w.Module != nil) != (p.Module != nil) || (w.Debian != nil) != (len(p.Debs) > 0) ||
		(w.File != nil) != (p.File != nil) || (w.Image != nil) != (p.Image != nil) {
		return bad("have a pin of another kind, need the kind of its want")
	}
	switch {
	case p.Module != nil && (p.Module.GoMod == "" || p.Module.GoSum == "" || p.Module.Toolchain == ""):
		return bad("have no go.mod, go.sum or toolchain, need all three")
	case p.File != nil && (p.File.Digest == "" || p.File.Size < 0):
		return bad("have digest %q and size %d, need both", p.File.Digest, p.File.Size)
	case p.File != nil && (w.File.Checksum != "") != (p.File.Checksums != ""):
		return bad("have digest %q of its checksum file %q, need both or none", p.File.Checksums, w.File.Checksum)
	case p.Image != nil && w.Image.Digest != "" && p.Image.Digest != w.Image.Digest:
		// Manifests may name the image by this digest, and only what is pinned is carried.
		return bad("have digest %q, need %q, which the Spec names", p.Image.Digest, w.Image.Digest)
	case p.Image != nil && (p.Image.Digest == "" || p.Image.Size <= 0 || p.Image.MediaType == ""):
		return bad("have digest %q and size %d, need both and a media type", p.Image.Digest, p.Image.Size)
	}
	for _, d := range p.Debs {
		if d.Package == "" || d.Version == "" || d.URL == "" || d.Digest == "" || d.Size <= 0 {
			return bad("have package %q version %q digest %q size %d, need all", d.Package, d.Version, d.Digest, d.Size)
		}
	}
	return nil
}
