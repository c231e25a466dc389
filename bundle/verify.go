package bundle

import (
	"context"
	"io/fs"
	"path"

	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
)

// Verify checks a whole medium against its manifest: every file is named, every
// named file is there, and each has its size and digest. It reads each file
// once, in the manifest's order, which is the order on the medium: one
// sequential pass. It goes on past a damaged file, so that one run tells all.
// progress (may be nil) gets bytes done of all bytes, and the file being read.
//
// Who made the manifest is not asked here; what it says is checked to the byte.
func Verify(ctx context.Context, medium fs.FS, progress func(done, total int64, file string)) (*Verified, error) {
	raw, err := readManifestFile(medium)
	if err != nil {
		return nil, err
	}
	m, err := ReadManifest(raw)
	if err != nil {
		return nil, err
	}
	v := &Verified{medium: medium, manifest: m, raw: raw,
		byDigest: make(map[digest.Digest]File, len(m.Files)), byPath: make(map[string]File, len(m.Files))}
	var total int64
	for _, f := range m.Files {
		v.byDigest[f.Digest], v.byPath[f.Path] = f, f
		total += f.Size
	}
	// Names first: it takes seconds, and spares reading a medium that is wrong anyway.
	if err := v.checkNames(ctx); err != nil {
		return nil, err
	}
	if progress == nil {
		progress = func(int64, int64, string) {}
	}
	var errs faults
	read := newReadAhead()
	defer read.stop()
	var done int64
	for _, f := range m.Files {
		start := done
		have, err := read.hash(ctx, medium, f, func(n int64) {
			done += n
			progress(done, total, f.Path)
		})
		switch {
		case ctx.Err() != nil:
			return nil, Interrupted.New("cannot finish the check of the medium: %w", context.Cause(ctx)).Hint("run it again; it starts from the beginning")
		case err != nil:
			errs.add(err)
		case have != f.Digest:
			errs.add(damaged(f, have).Hint(rewrite))
		}
		done = start + f.Size // also after a read error, so that the total is reached
	}
	if err := errs.join(); err != nil {
		return nil, err
	}
	progress(total, total, "")
	return v, nil
}

const rewrite = "the medium is damaged or was changed: write it again and compare the image's checksum, or use another medium"

func damaged(f File, have digest.Digest) *fault.Fault {
	return MediaDamaged.New("cannot use %s: have %s, need %s", f.Path, have, f.Digest)
}

func unreadable(f File, at int64, err error) *fault.Fault {
	return MediaDamaged.New("cannot read %s: have an error after %d bytes, need %d bytes of %s: %w", f.Path, at, f.Size, f.Digest, err)
}

// checkNames compares the medium's tree with the manifest. Folders hold no
// bytes and are not counted; anything that is no plain file is extra.
func (v *Verified) checkNames(ctx context.Context) error {
	var errs faults
	found := make(map[string]bool, len(v.byPath))
	err := fs.WalkDir(v.medium, ".", func(p string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			errs.add(MediaDamaged.New("cannot list %s: %w", p, err).Hint(rewrite))
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() || (p == ManifestPath || p == SumPath) && d.Type().IsRegular() {
			return nil
		}
		f, named := v.byPath[p]
		switch {
		case !named:
			errs.add(MediaExtraFile.New("cannot use the medium: have file %s, need only files that the manifest names", p).
				Hint("somebody added it after the medium was made: use the ISO as it was built"))
			return nil
		case !d.Type().IsRegular():
			errs.add(MediaExtraFile.New("cannot use %s: have a %s, need a plain file", p, typeName(d.Type())))
		default:
			errs.addSize(d, f)
		}
		found[p] = true
		return nil
	})
	if ctx.Err() != nil {
		return Interrupted.New("cannot finish the check of the medium: %w", context.Cause(ctx)).Hint("run it again; it starts from the beginning")
	}
	if err != nil {
		errs.add(err)
	}
	for _, f := range v.manifest.Files {
		if !found[f.Path] {
			errs.add(MediaMissingFile.New("cannot find %s (in %s): have no such file, need %d bytes of %s", path.Base(f.Path), path.Dir(f.Path), f.Size, f.Digest).
				Hint(rewrite))
		}
	}
	return errs.join()
}

func (e *faults) addSize(d fs.DirEntry, f File) {
	info, err := d.Info()
	switch {
	case err != nil:
		e.add(unreadable(f, 0, err).Hint(rewrite))
	case info.Size() != f.Size:
		e.add(MediaDamaged.New("cannot use %s: have %d bytes, need %d bytes of %s", f.Path, info.Size(), f.Size, f.Digest).Hint(rewrite))
	}
}

func typeName(m fs.FileMode) string {
	switch {
	case m&fs.ModeSymlink != 0:
		return "symbolic link"
	case m&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}
