package assemble

import (
	"errors"
	"os"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/secrets"
	"caisson.dev/caisson/spec"
)

// The wants of sealed secrets: the sealed file, and what is said of it in clear.
const (
	wantSealed = "secrets/sealed"
	wantNotes  = "secrets/notes"
)

// checkSecrets looks at the files of secrets.sealed, if they are there: whether
// they are is spec.CheckFiles' to say.
func (c Choice) checkSecrets() error {
	name := c.Spec.Enclave.Secrets.Sealed
	if name == "" {
		return nil
	}
	if _, ok := c.Profile.(profiles.SecretMaker); !ok {
		return c.Spec.Refuse(spec.Unsupported, "secrets.sealed", "a file for the profile "+c.Profile.Name(), "nothing: that profile's secrets are made on the node")
	}
	sealed, err1 := os.ReadFile(c.Spec.Resolve(name))
	notes, err2 := os.ReadFile(c.Spec.Resolve(name + spec.NotesSuffix))
	if errors.Join(err1, err2) != nil {
		return nil
	}
	_, err := secrets.Check(sealed, notes, c.Spec.Enclave)
	return err
}

// secrets puts what is said of the sealed secrets into the manifest and gives the
// sealed file, nil if the Spec names none. What the Lock pinned is looked at once
// more: it may have been pinned before the Spec was what it is.
func (s *sealing) secrets(m *bundle.Manifest) ([]byte, error) {
	if s.in.Choice.Spec.Enclave.Secrets.Sealed == "" {
		return nil, nil
	}
	var raw [2][]byte
	for i, name := range []string{wantSealed, wantNotes} {
		a, ok := s.byName[name]
		if !ok {
			return nil, missing(name, "the Spec names secrets.sealed")
		}
		var err error
		if raw[i], err = os.ReadFile(s.store.Path(a.Digest)); err != nil {
			return nil, err
		}
	}
	said, err := secrets.Check(raw[0], raw[1], s.in.Choice.Spec.Enclave)
	if err != nil {
		return nil, err
	}
	m.Secrets = &said
	return raw[0], nil
}
