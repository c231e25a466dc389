package debian

import (
	"archive/tar"
	"context"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/deb"
	"caisson.dev/caisson/internal/fetch"
)

// atOnce bounds downloads from one mirror.
const atOnce = 4

// Collect downloads the pinned packages: artifacts "<want>/<package>", or with
// Extract "<want>/<name>" for each file taken out.
func (s *Source) Collect(ctx context.Context, p bundle.Pin, store *bundle.Store, progress bundle.Progress) ([]bundle.Artifact, error) {
	key := ""
	if len(p.Want.Debian.Extract) > 0 {
		d, err := canon.Digest(p)
		if err != nil {
			return nil, err
		}
		key = "debian extract " + string(d)
		if done, ok := store.Memo(key); ok {
			return done, nil
		}
	}
	if err := s.download(ctx, p, store, progress); err != nil {
		return nil, err
	}
	if key == "" {
		artifacts := make([]bundle.Artifact, len(p.Debs))
		for i, d := range p.Debs {
			artifacts[i] = bundle.Artifact{Name: p.Want.Name + "/" + d.Package, Digest: d.Digest, Size: d.Size, Mode: 0o644, Source: purl(d)}
		}
		return artifacts, nil
	}
	artifacts, err := extract(ctx, p, store)
	if err != nil {
		return nil, err
	}
	return artifacts, store.SetMemo(key, artifacts)
}

func (s *Source) download(ctx context.Context, p bundle.Pin, store *bundle.Store, progress bundle.Progress) error {
	var total, done int64
	for _, d := range p.Debs {
		total += d.Size
	}
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, d := range p.Debs {
		g.Go(func() error {
			var last int64
			advance := func(at int64) {
				n := atomic.AddInt64(&done, at-last)
				last = at
				if progress != nil {
					progress(p.Want.Name, n, total)
				}
			}
			_, _, err := s.Fetch.Get(ctx, store, fetch.Request{URL: d.URL, Digest: d.Digest, Size: d.Size},
				func(at, _ int64) { advance(at) })
			if fetch.NotFound.Is(err) {
				return VersionGone.New("cannot fetch %s %s: have no such file at %s any more, need it: %w", d.Package, d.Version, d.URL, err).
					Hint("the mirror has a newer version: lock again with caisson lock --update").
					Hint("to keep old Locks usable, set os.mirror to a mirror that keeps every version (a snapshot mirror)")
			}
			if err == nil {
				advance(d.Size)
			}
			return err
		})
	}
	return g.Wait()
}

// extract takes the wanted files out of the packages, each from the first
// package (by name) that has it.
func extract(ctx context.Context, p bundle.Pin, store *bundle.Store) ([]bundle.Artifact, error) {
	missing := map[string][]string{} // path in the package -> artifact names
	for name, file := range p.Want.Debian.Extract {
		missing[merged(file)] = append(missing[merged(file)], name)
	}
	var out []bundle.Artifact
	for _, d := range p.Debs {
		if len(missing) == 0 {
			break
		}
		found, err := extractFrom(ctx, p.Want, d, missing, store)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	if len(missing) > 0 {
		var names []string
		for _, d := range p.Debs {
			names = append(names, d.Package+" "+d.Version)
		}
		return nil, FileMissing.New("cannot take %s out of packages: have no such file in %s, need it",
			strings.Join(slices.Sorted(maps.Keys(missing)), ", "), strings.Join(names, ", ")).
			Hint("dpkg -L PACKAGE lists what a package holds")
	}
	slices.SortFunc(out, func(a, b bundle.Artifact) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func extractFrom(ctx context.Context, w bundle.Want, d bundle.DebPin, missing map[string][]string, store *bundle.Store) ([]bundle.Artifact, error) {
	f, err := store.Open(d.Digest)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []bundle.Artifact
	err = deb.Walk(f, func(hdr *tar.Header, r io.Reader) error {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		names := missing[merged("/"+hdr.Name)]
		if names == nil || hdr.Typeflag == tar.TypeDir {
			return nil
		}
		if hdr.Typeflag != tar.TypeReg {
			return FileMissing.New("cannot take /%s out of %s: have a link to %s, need a file", hdr.Name, d.Package, hdr.Linkname).
				Hint("name the file that the link points to")
		}
		sum, n, err := store.Put(ctx, r, "")
		if err != nil {
			return err
		}
		for _, name := range names {
			out = append(out, bundle.Artifact{Name: w.Name + "/" + name, Digest: sum, Size: n,
				Mode: fs.FileMode(hdr.Mode) & 0o777, Source: purl(d)})
		}
		delete(missing, merged("/"+hdr.Name))
		return nil
	})
	return out, err
}

// merged is the path as it is on a system with merged /usr, so that /sbin/x of
// an older package and /usr/sbin/x are the same file.
func merged(p string) string {
	p = path.Clean(p)
	for _, dir := range []string{"/bin/", "/sbin/", "/lib/", "/lib64/"} {
		if strings.HasPrefix(p, dir) {
			return "/usr" + p
		}
	}
	return p
}

// purl is the package URL (purl-spec, type deb).
func purl(d bundle.DebPin) string {
	arch := strings.TrimSuffix(d.URL[strings.LastIndexByte(d.URL, '_')+1:], ".deb")
	return "pkg:deb/debian/" + d.Package + "@" + strings.NewReplacer("+", "%2B", ":", "%3A").Replace(d.Version) + "?arch=" + arch
}
