// Package sources is where bytes come from, on the low side: compiled Go
// modules (gomod), Debian packages (debian), container images (oci), and files
// from a server or a folder (file). Set joins them to the one bundle.Source
// that Resolve and Collect use.
//
// Nothing on a node links it: it can reach out, and a node must not.
package sources

import (
	"context"
	"fmt"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/fetch"
	"caisson.dev/caisson/sources/debian"
	"caisson.dev/caisson/sources/file"
	"caisson.dev/caisson/sources/gomod"
	"caisson.dev/caisson/sources/oci"
)

// Set is every source, each answering for its kind of Want.
type Set struct {
	Modules bundle.Source
	Debian  bundle.Source
	Files   bundle.Source
	Images  bundle.Source
}

// New is In for Wants whose paths are absolute or start at the working folder.
func New(store *bundle.Store) *Set { return In(store, "") }

// In is the Set with everything at its default, for a Spec that lies in dir:
// relative paths of Wants start there, so that a Lock holds no folder of one
// machine. Scratch, caches and what Resolve has to fetch lie in the store. It is
// for one run of a program: what was once asked of a mirror is not asked again.
func In(store *bundle.Store, dir string) *Set {
	client := fetch.Default()
	return &Set{
		Modules: gomod.Source{Store: store, Fetch: client, Shared: &gomod.Shared{}},
		Debian:  &debian.Source{Store: store, Fetch: client},
		Files:   file.Source{Store: store, Fetch: client, Dir: dir},
		Images:  oci.Source{Store: store, Fetch: client, Dir: dir},
	}
}

// Resolve makes the Want exact.
func (s *Set) Resolve(ctx context.Context, w bundle.Want) (bundle.Pin, error) {
	src, err := s.of(w)
	if err != nil {
		return bundle.Pin{}, err
	}
	return src.Resolve(ctx, w)
}

// Collect brings the Pin's bytes into the store.
func (s *Set) Collect(ctx context.Context, p bundle.Pin, store *bundle.Store, progress bundle.Progress) ([]bundle.Artifact, error) {
	src, err := s.of(p.Want)
	if err != nil {
		return nil, err
	}
	return src.Collect(ctx, p, store, progress)
}

func (s *Set) of(w bundle.Want) (bundle.Source, error) {
	var src bundle.Source
	switch {
	case w.Module != nil:
		src = s.Modules
	case w.Debian != nil:
		src = s.Debian
	case w.File != nil:
		src = s.Files
	case w.Image != nil:
		src = s.Images
	}
	if src == nil {
		return nil, fmt.Errorf("cannot find a source for %q: its kind has none here", w.Name)
	}
	return src, nil
}
