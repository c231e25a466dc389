package assemble

import (
	"io"
	"os"
	"path"
	"path/filepath"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/profiles"
)

// unpack takes the files for the node out of the profile's archives into the
// Store, as artifacts like any other. The archive is what the Lock pins, so that
// what is in it is pinned as well.
func (s *sealing) unpack() error {
	p, ok := s.in.Choice.Profile.(profiles.Unpacker)
	if !ok {
		return nil
	}
	archives, err := p.Archives(s.in.Choice.Spec.Enclave)
	if err != nil {
		return err
	}
	for _, name := range archives {
		a, ok := s.byName[name]
		if !ok {
			return missing(name, "the profile "+s.in.Choice.Profile.Name()+" unpacks it")
		}
		found, err := s.members(p, a)
		if err != nil {
			return err
		}
		for _, m := range found {
			s.byName[m.Name] = m
		}
	}
	return nil
}

// judge has the profile look into its image archives. They are seen under their
// own names, by which their form is known.
func (s *sealing) judge() error {
	p, ok := s.in.Choice.Profile.(profiles.ArchiveJudge)
	if !ok {
		return nil
	}
	dir, err := os.MkdirTemp("", "caisson-archives-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return p.CheckArchives(s.in.Choice.Spec.Enclave, func(name string) (string, error) {
		a, ok := s.byName[name]
		if !ok {
			return "", missing(name, "the profile "+s.in.Choice.Profile.Name()+" looks into it")
		}
		at := filepath.Join(dir, path.Base(name))
		return at, os.Symlink(s.store.Path(a.Digest), at)
	})
}

func (s *sealing) members(p profiles.Unpacker, archive bundle.Artifact) ([]bundle.Artifact, error) {
	f, err := os.Open(s.store.Path(archive.Digest))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []bundle.Artifact
	err = p.Unpack(f, func(name string, body io.Reader) error {
		d, n, err := s.store.Put(s.ctx, body, "")
		out = append(out, bundle.Artifact{Name: name, Digest: d, Size: n, Source: archive.Source + "#" + name})
		return err
	})
	return out, err
}
