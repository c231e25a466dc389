package secrets

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/spec"
)

// WorkFactor is the base-2 logarithm of scrypt's N: one second on a desktop, some
// on a slow machine, and 256 MiB of memory either way. More than mostWork is not
// tried on a target, which may have 2 GiB.
const (
	WorkFactor = 18
	mostWork   = 20
)

// maxSealed is far above any sealed file (some KiB).
const maxSealed = 1 << 20

// Seal seals the files of an enclave with a passphrase; workFactor is WorkFactor
// but in tests. What comes back beside the sealed file is said of it in clear.
func Seal(e spec.Enclave, files []File, passphrase string, workFactor int) ([]byte, bundle.SealedSecrets, error) {
	said := bundle.SealedSecrets{APIVersion: spec.APIVersion, Kind: bundle.SealedKind, Enclave: e.Metadata.Name, Profile: e.Kubernetes.Profile}
	if err := CheckPassphrase(passphrase); err != nil {
		return nil, said, err
	}
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	raw, err := canon.JSON(content{spec.APIVersion, kindSet, said.Enclave, said.Profile, files})
	if err != nil {
		return nil, said, err
	}
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, said, err
	}
	recipient.SetWorkFactor(workFactor)
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipient)
	if err != nil {
		return nil, said, err
	}
	if _, err := w.Write(raw); err != nil {
		return nil, said, err
	}
	if err := w.Close(); err != nil {
		return nil, said, err
	}
	said.Digest, said.Size, said.Content = digest.Of(sealed.Bytes()), int64(sealed.Len()), digest.Of(raw)
	said.CAs, said.Files = describe(files)
	// What is written must be read: the same reader judges it now.
	notes, err := canon.JSON(said)
	if err != nil {
		return nil, said, err
	}
	_, err = bundle.ReadSealed(notes)
	return sealed.Bytes(), said, err
}

// describe is what is said in clear of files: the CAs among them, and their names.
func describe(files []File) (cas []bundle.CA, names []bundle.SecretFile) {
	for _, f := range files {
		names = append(names, bundle.SecretFile{Path: f.Path, Mode: f.Mode})
		block, _ := pem.Decode([]byte(f.Data))
		if block == nil || block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil || !c.IsCA {
			continue
		}
		cas = append(cas, bundle.CA{Name: c.Subject.CommonName, Path: f.Path, Fingerprint: digest.Of(c.Raw), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC()})
	}
	return cas, names
}

// Open opens a sealed file. What comes out is what was said of it, to the last
// byte, or nothing does.
func Open(sealed []byte, said bundle.SealedSecrets, passphrase string) (*Set, error) {
	if have := digest.Of(sealed); have != said.Digest {
		return nil, Differ.New("cannot open the sealed secrets: have %s, need %s", have, said.Digest)
	}
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, wrong()
	}
	identity.SetMaxWorkFactor(mostWork)
	r, err := age.Decrypt(bytes.NewReader(sealed), identity)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		return nil, wrong()
	}
	if err != nil {
		return nil, NotSealed.New("cannot open the sealed secrets: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(r, maxSealed))
	if err != nil {
		return nil, NotSealed.New("cannot read the sealed secrets to their end: %w", err)
	}
	if have := digest.Of(raw); have != said.Content {
		return nil, Differ.New("cannot use what was sealed: have %s, need %s, which the medium says in clear", have, said.Content)
	}
	var c content
	if err := canon.Decode(raw, &c); err != nil {
		return nil, Differ.New("cannot read what was sealed: have no %s of this version, need one", kindSet)
	}
	cas, names := describe(c.Files)
	same := c.Kind == kindSet && c.APIVersion == said.APIVersion && c.Enclave == said.Enclave && c.Profile == said.Profile &&
		slices.Equal(names, said.Files) && slices.EqualFunc(cas, said.CAs, sameCA)
	if !same {
		return nil, Differ.New("cannot use what was sealed: have files, CAs or an enclave other than said, need those that the medium says in clear")
	}
	return &Set{files: c.Files, sealed: said.Digest, inner: said.Content}, nil
}

func sameCA(a, b bundle.CA) bool {
	return a.Name == b.Name && a.Path == b.Path && a.Fingerprint == b.Fingerprint && a.NotBefore.Equal(b.NotBefore) && a.NotAfter.Equal(b.NotAfter)
}

func wrong() error {
	return WrongPassphrase.New("cannot open the sealed secrets: have another passphrase, need the one that they were sealed with").
		Hint("look at Caps Lock and at the keyboard's layout, and try again; nothing is lost")
}

// CheckTime refuses a clock at which the CAs are not valid: nothing that they sign
// would be believed.
func CheckTime(said bundle.SealedSecrets, now time.Time) error {
	const form = "2006-01-02"
	for _, c := range said.CAs {
		if now.Before(c.NotBefore) || now.After(c.NotAfter) {
			return OutOfTime.New("cannot use the CA %s: have the clock at %s, need a time from %s to %s", c.Name,
				now.UTC().Format(form), c.NotBefore.Format(form), c.NotAfter.Format(form)).
				Hint("set the clock, or make new secrets with caisson secrets if their time is over")
		}
	}
	return nil
}

// Check is for the low side, which has no passphrase: sealed is a file that a
// passphrase opens, and it is the one that notes speak of, made for this enclave.
func Check(sealed, notes []byte, e spec.Enclave) (bundle.SealedSecrets, error) {
	if err := checkHeader(sealed); err != nil {
		return bundle.SealedSecrets{}, err
	}
	said, err := bundle.ReadSealed(notes)
	if err != nil {
		return said, err
	}
	const again = "caisson secrets makes both files; keep them together"
	switch have := digest.Of(sealed); {
	case have != said.Digest || int64(len(sealed)) != said.Size:
		return said, Foreign.New("cannot use the sealed secrets: have %d bytes of %s, need %d of %s, which the file beside it names", len(sealed), have, said.Size, said.Digest).Hint(again)
	case said.Enclave != e.Metadata.Name:
		return said, Foreign.New("cannot use the sealed secrets: have those of the enclave %q, need %q", said.Enclave, e.Metadata.Name).Hint(again)
	case said.Profile != e.Kubernetes.Profile:
		return said, Foreign.New("cannot use the sealed secrets: have those of the profile %q, need %q", said.Profile, e.Kubernetes.Profile).Hint(again)
	}
	return said, nil
}

// checkHeader demands age v1 in its binary form with one scrypt stanza: what
// nobody but the holder of the passphrase can have made.
func checkHeader(sealed []byte) error {
	const need = "a file of age v1 that a passphrase opens, not armored"
	if len(sealed) > maxSealed {
		return NotSealed.New("cannot use the sealed secrets: have %d bytes, need at most %d", len(sealed), maxSealed)
	}
	header, err := age.ExtractHeader(bytes.NewReader(sealed))
	if err != nil {
		return NotSealed.New("cannot use the sealed secrets: have something else, need "+need+": %w", err).Hint("caisson secrets makes it")
	}
	lines := strings.Split(string(header), "\n")
	stanzas := 0
	for _, l := range lines {
		if strings.HasPrefix(l, "-> ") {
			stanzas++
		}
	}
	if stanzas != 1 || !strings.HasPrefix(lines[1], "-> scrypt ") {
		return NotSealed.New("cannot use the sealed secrets: have a file for other recipients, need " + need).Hint("caisson secrets makes it")
	}
	return nil
}
