package node

import (
	"errors"
	"io"
	"io/fs"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/secrets"
)

// phraseName is the file with the passphrase, on the medium that is labelled as
// one with answers.
const phraseName = "caisson-passphrase.txt"

// openSecrets opens the medium's sealed secrets. What comes out stays in memory:
// it is for apply alone. The clock is looked at, because a CA of which it is not
// the time would be placed and believed by nobody.
func openSecrets(r *run, medium opener, passphrase string) (*secrets.Set, error) {
	said := medium.Manifest().Secrets
	if said == nil {
		return nil, bundle.MediaMissingFile.New("cannot open sealed secrets: have none on the medium, need some")
	}
	f, err := medium.OpenPath(bundle.SecretsPath)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sealed, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	set, err := secrets.Open(sealed, *said, passphrase)
	if err != nil {
		return nil, err
	}
	return set, secrets.CheckTime(*said, r.now())
}

// unattended opens the secrets that a plan names with the passphrase that was
// brought, with nobody asked; nil if the plan names none.
func (c installCmd) unattended(r *run, medium opener, named *bundle.SealedSecrets, sink event.Sink) (*secrets.Set, error) {
	if named == nil {
		return nil, nil
	}
	raw, from, err := c.phrase(r)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, PassphraseNone.New("cannot open the sealed secrets: have no passphrase, need it in %s", from).
			Hint("write it into %s on a stick with the label %s, beside %s", phraseName, label, fileName).
			Hint("or start without answers and type it on the screen")
	}
	if err != nil {
		return nil, err
	}
	sink(event.Event{Name: "secrets.begin", Message: "opening the sealed secrets with the passphrase of " + from + "; this takes seconds"})
	set, err := openSecrets(r, medium, secrets.FromFile(raw))
	if err != nil {
		return nil, err
	}
	sink(event.Event{Name: "secrets.ok", Message: "the sealed secrets are open, and are those that the medium names", Data: map[string]string{"sealed": string(named.Digest)}})
	return set, nil
}

func (c installCmd) phrase(r *run) (raw []byte, from string, err error) {
	if c.PassphraseFile != "" {
		raw, err = readSmall(c.PassphraseFile)
		return raw, c.PassphraseFile, err
	}
	raw, err = r.env.Labelled(label, phraseName)
	return raw, phraseName + " on the medium labelled " + label, err
}
