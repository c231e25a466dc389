package manifests

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/distribution/reference"

	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/spec"
)

// File is one carried manifest.
type File struct {
	Name string // as in the Spec
	Data []byte
}

// Load reads the manifests that the Spec names, in its order. With an error it
// gives those that could be read, for the checks that follow.
func Load(l spec.Loaded) ([]File, error) {
	var out []File
	var errs []error
	for i, name := range l.Enclave.Manifests {
		if err := l.CheckFile(fmt.Sprintf("manifests[%d]", i), name, false); err != nil {
			errs = append(errs, err)
			continue
		}
		data, err := read(l.Resolve(name))
		if err != nil {
			errs = append(errs, Unreadable.New("cannot read manifest %s: have %w, need a YAML file beside the Spec", name, err))
			continue
		}
		out = append(out, File{Name: name, Data: data})
	}
	return out, errors.Join(errs...)
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxSize+1))
}

// Uses lists every use of an image in the files. With an error it gives those
// of the files that could be understood.
func Uses(files []File) ([]Use, error) {
	var out []Use
	var errs []error
	for _, f := range files {
		uses, err := Images(f.Name, f.Data)
		out, errs = append(out, uses...), append(errs, err)
	}
	return out, errors.Join(errs...)
}

// Check refuses every image that the manifests name and that neither the Spec
// nor the profile (profile: references of its own images) carries; all at once.
// It is pure.
func Check(uses []Use, e spec.Enclave, profile []string) error {
	c := carried(e, profile)
	var errs []error
	for _, u := range uses {
		if err := c.check(u); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// cargo is what will be on the node.
type cargo struct {
	refs    []string            // in full, in the Spec's order
	digests map[string][]string // repository in full -> digests that the Spec pins
}

func carried(e spec.Enclave, profile []string) cargo {
	c := cargo{digests: map[string][]string{}}
	for _, image := range e.Images {
		full := inFull(image.Ref)
		c.refs = append(c.refs, full)
		if named, err := reference.ParseNormalizedNamed(full); err == nil && image.Digest != "" {
			c.digests[named.Name()] = append(c.digests[named.Name()], image.Digest)
		}
	}
	for _, ref := range profile {
		c.refs = append(c.refs, inFull(ref))
	}
	return c
}

func inFull(ref string) string {
	if full, err := spec.NormalizeRef(ref); err == nil {
		return full
	}
	return ref
}

func (c cargo) check(u Use) error {
	named, err := reference.ParseNormalizedNamed(u.Image)
	if err != nil {
		return Unreadable.New("cannot use manifest %s: have the image %q in %s of %s: %w, need an image reference", u.File, u.Image, u.Field, u.Object, err)
	}
	full := reference.TagNameOnly(named).String()
	if d, ok := named.(reference.Digested); ok {
		// The runtime pulls by digest then, and the tag says nothing.
		for _, have := range c.digests[named.Name()] {
			if have == d.Digest().String() {
				return nil
			}
		}
		return c.refuse(u, full).Hint("an image named by digest must have that digest in the Spec: images[].digest")
	}
	for _, have := range c.refs {
		if have == full {
			return nil
		}
	}
	return c.refuse(u, full)
}

func (c cargo) refuse(u Use, full string) *fault.Fault {
	f := NotCarried.New("cannot use manifest %s: have image %s in %s of %s, need one that the Spec or the profile carries", u.File, full, u.Field, u.Object)
	if near := c.nearest(full); near != "" {
		f.Hint("did you mean %s?", near)
	}
	return f.Hint("or carry it: add a line with ref: %s under images", full)
}

// nearest prefers another tag of the same repository to a similar name.
func (c cargo) nearest(full string) string {
	for _, have := range c.refs {
		if repository(have) == repository(full) {
			return have
		}
	}
	return spec.Nearest(full, c.refs)
}

func repository(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return strings.SplitN(ref, "@", 2)[0]
	}
	return named.Name()
}
