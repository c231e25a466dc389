// Package secrets seals what is secret in a cluster (the keys of its CAs, the
// key that secrets are encrypted with) for the way to the target, and opens it
// there. Seal makes the sealed file and what is said of it in clear; Open undoes
// it and compares. The form is age v1 with a passphrase, so that `age -d` opens
// it with no Caisson at hand.
//
// What is in a Set is the profile's business, where the files travel the
// bundle's, who is asked for the passphrase the programs'. A Set prints as
// nothing: it must reach no screen, log, Record, event or support bundle.
package secrets

import (
	"fmt"
	"io/fs"

	"caisson.dev/caisson/internal/digest"
)

// File is a file of a node with its content.
type File struct {
	Path string      `json:"path"`
	Mode fs.FileMode `json:"mode"` // 0600, or 0644 for what is no secret
	Data string      `json:"data"`
}

// kindSet is the kind of what is sealed.
const kindSet = "ClusterSecrets"

// content is what is sealed, in canonical JSON.
type content struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Enclave    string `json:"enclave"`
	Profile    string `json:"profile"`
	Files      []File `json:"files"` // sorted by Path
}

// Set is secrets that were opened. Only Open makes one that holds anything.
type Set struct {
	files  []File
	sealed digest.Digest // of the file that it came out of
	inner  digest.Digest
}

// Files are the files of the node.
func (s *Set) Files() []File { return s.files }

// Sealed is the digest of the file that it came out of.
func (s *Set) Sealed() digest.Digest { return s.sealed }

// Content is the digest of what was sealed.
func (s *Set) Content() digest.Digest { return s.inner }

// Format prints no secret, whatever the verb.
func (s *Set) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(secrets, not shown)") }

// Format prints a file's name alone.
func (f File) Format(s fmt.State, _ rune) { fmt.Fprint(s, f.Path) }
