// Package file is the source of single files: from a server (http, https) or a
// folder. A checksum file of the file's maker, in the form that sha256sum
// writes, is heeded where the Want names one: when the file is pinned, and again
// when it is brought. Signatures are not checked here. It is for the low side
// only.
package file

import (
	"bytes"
	"context"
	"os"
	"path"
	"path/filepath"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fetch"
)

// Source brings files; it implements bundle.Source for FileWants.
type Source struct {
	Store *bundle.Store
	Fetch *fetch.Client
	Dir   string // where relative paths of Wants start
}

func (s Source) at(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(s.Dir, path)
}

// Resolve pins size and digest. A file on a server is downloaded now only when
// neither the Want nor its checksum file says what it must be, or the server
// does not say how large it is.
func (s Source) Resolve(ctx context.Context, w bundle.Want) (bundle.Pin, error) {
	f := *w.File
	if (f.URL == "") == (f.Path == "") {
		return bundle.Pin{}, Unreadable.New("cannot resolve %s: have url %q and path %q, need exactly one", w.Name, f.URL, f.Path)
	}
	want, sums := f.Digest, digest.Digest("")
	if f.Checksum != "" {
		raw, err := s.checksums(ctx, f.Checksum)
		if err != nil {
			return bundle.Pin{}, s.absent(ctx, f, f.Checksum, err)
		}
		stated, err := stated(f, raw)
		if err != nil {
			return bundle.Pin{}, err
		}
		if want != "" && want != stated {
			return bundle.Pin{}, bundle.DigestMismatch.New("cannot use %s: have %s in %s, need %s as the Spec says", w.Name, stated, f.Checksum, want).
				Hint("one of the two is out of date or wrong: ask the file's maker which")
		}
		if sums, _, err = s.Store.Put(ctx, bytes.NewReader(raw), ""); err != nil {
			return bundle.Pin{}, err
		}
		want = stated
	}
	d, n, err := s.measure(ctx, f, want)
	switch {
	case err != nil && f.Checksum == "":
		return bundle.Pin{}, s.absent(ctx, f, f.URL+f.Path, err)
	case err != nil:
		return bundle.Pin{}, err
	case want != "" && d != want:
		return bundle.Pin{}, mismatch(f, d, want)
	}
	return bundle.Pin{Want: w, File: &bundle.FilePin{Size: n, Digest: d, Checksums: sums}}, nil
}

func (s Source) measure(ctx context.Context, f bundle.FileWant, want digest.Digest) (digest.Digest, int64, error) {
	if f.Path != "" {
		d, n, err := digest.File(s.at(f.Path))
		if err != nil {
			return "", 0, unreadable(s.at(f.Path), err)
		}
		return d, n, nil
	}
	if want != "" {
		if n, err := s.Store.Size(want); err == nil {
			return want, n, nil
		}
		if n, err := s.Fetch.Length(ctx, f.URL); err != nil || n > 0 {
			return want, n, err
		}
	}
	return s.Fetch.Get(ctx, s.Store, fetch.Request{URL: f.URL, Digest: want}, nil)
}

// Collect brings the file: one artifact, named as the Want.
func (s Source) Collect(ctx context.Context, p bundle.Pin, store *bundle.Store, progress bundle.Progress) ([]bundle.Artifact, error) {
	f, pin := *p.Want.File, *p.File
	if err := s.vouched(ctx, f, pin, store); err != nil {
		return nil, err
	}
	mode := f.Mode
	if mode == 0 {
		mode = 0o644
	}
	artifact := bundle.Artifact{Name: p.Want.Name, Digest: pin.Digest, Size: pin.Size, Mode: mode, Source: f.URL}
	if f.Path != "" {
		artifact.Source = path.Base(f.Path) // where it lay on this machine is nobody's business elsewhere
		if n, err := store.Size(pin.Digest); err == nil && n == pin.Size {
			return []bundle.Artifact{artifact}, nil
		}
		d, _, err := store.PutFile(ctx, s.at(f.Path), pin.Digest)
		switch {
		case bundle.DigestMismatch.Is(err):
			return nil, mismatch(f, d, pin.Digest)
		case os.IsNotExist(err) || os.IsPermission(err):
			return nil, unreadable(s.at(f.Path), err)
		}
		return []bundle.Artifact{artifact}, err
	}
	_, _, err := s.Fetch.Get(ctx, store, fetch.Request{URL: f.URL, Digest: pin.Digest, Size: pin.Size}, func(done, total int64) {
		if progress != nil {
			progress(p.Want.Name, done, total)
		}
	})
	if err != nil {
		return nil, err
	}
	return []bundle.Artifact{artifact}, nil
}

func mismatch(f bundle.FileWant, have, want digest.Digest) error {
	return bundle.DigestMismatch.New("cannot use %s: have %s, need %s", f.URL+f.Path, have, want).
		Hint("the file was changed after it was locked: put the right one back, or lock again")
}

func unreadable(path string, err error) error {
	return Unreadable.New("cannot read %s: %w", path, err).Hint("paths in the Spec start at the Spec's own folder")
}
