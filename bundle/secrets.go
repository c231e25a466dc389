package bundle

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
)

// SealedKind is SealedSecrets.Kind.
const SealedKind = "SealedSecrets"

// SealedSecrets is what is said in clear of secrets that travel sealed. It names
// the sealed file and, by Content, what is inside: whoever opens it compares. A
// digest gives nothing away: what it is of holds keys that nobody can guess.
type SealedSecrets struct {
	APIVersion string        `json:"apiVersion"`
	Kind       string        `json:"kind"` // "SealedSecrets"
	Enclave    string        `json:"enclave"`
	Profile    string        `json:"profile"`
	Digest     digest.Digest `json:"digest"` // of the sealed file
	Size       int64         `json:"size"`   // of the sealed file
	Content    digest.Digest `json:"content"`
	CAs        []CA          `json:"cas"`   // sorted by Path
	Files      []SecretFile  `json:"files"` // that the node gets, sorted by Path
}

// CA is a certificate authority of a cluster.
type CA struct {
	Name        string        `json:"name"` // as its certificate says
	Path        string        `json:"path"` // of its certificate on the node
	Fingerprint digest.Digest `json:"fingerprint"`
	NotBefore   time.Time     `json:"notBefore"`
	NotAfter    time.Time     `json:"notAfter"`
}

// SecretFile is a file of a node, without its content.
type SecretFile struct {
	Path string      `json:"path"`
	Mode fs.FileMode `json:"mode"` // 0600, or 0644 for what is no secret
}

// ReadSealed reads the clear part of sealed secrets strictly.
func ReadSealed(raw []byte) (SealedSecrets, error) {
	var s SealedSecrets
	if err := canon.Decode(raw, &s); err != nil {
		return SealedSecrets{}, SealedDamaged.New("cannot read what is said of the sealed secrets: %w", err)
	}
	return s, s.check()
}

// check holds every field against its form: it is read before it is trusted.
func (s SealedSecrets) check() error {
	bad := func(have, need string) error {
		return SealedDamaged.New("cannot use what is said of the sealed secrets: have %s, need %s", have, need).
			Hint("caisson secrets writes it, together with the sealed file")
	}
	switch {
	case s.APIVersion != apiVersion || s.Kind != SealedKind:
		return bad(s.APIVersion+" "+s.Kind, apiVersion+" "+SealedKind)
	case s.Digest == "" || s.Content == "" || s.Size <= 0:
		return bad("no digest or no size", "those of the sealed file and of what is in it")
	case s.Enclave == "" || s.Profile == "":
		return bad("no enclave or no profile", "both")
	case len(s.Files) == 0 || len(s.CAs) == 0:
		return bad("no file or no CA", "both")
	}
	for i, f := range s.Files {
		switch {
		case path.Clean(f.Path) != f.Path || !strings.HasPrefix(f.Path, "/") || badPath(f.Path[1:]) != "":
			return bad("the path "+f.Path, "a clean absolute path")
		case i > 0 && f.Path <= s.Files[i-1].Path:
			return bad("the path "+f.Path+" after "+s.Files[i-1].Path, "each once, sorted")
		case f.Mode != 0o600 && f.Mode != 0o644:
			return bad("the mode "+f.Mode.String()+" of "+f.Path, "0600, or 0644 for what is no secret")
		}
	}
	for _, c := range s.CAs {
		if c.Fingerprint == "" || c.Name == "" || !slices.ContainsFunc(s.Files, func(f SecretFile) bool { return f.Path == c.Path }) {
			return bad("a CA without a name, a fingerprint or a file", "all three")
		}
	}
	return nil
}
