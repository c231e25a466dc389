// Package assemble joins the arrows of the low side: Choose (Spec -> what it
// comes to), Wants, Lock, Pull, Seal (collected bytes -> Sealed: node OS,
// images, manifest) and Write (Sealed -> ISO). Each step is one function of
// the value before it; the work itself is in bundle, sources, images, nodeos
// and iso. It prints nothing: progress goes to a callback.
package assemble

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/module"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/images/catalog"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/nodeos"
	"caisson.dev/caisson/profiles"
	profilecatalog "caisson.dev/caisson/profiles/catalog"
	"caisson.dev/caisson/spec"
)

// Choice is a Spec with the parts it names looked up.
type Choice struct {
	Spec    spec.Loaded
	Profile profiles.Profile
	Engine  images.Engine
}

// Choose looks up the Spec's profile and registry engine, and checks what the
// Spec's text alone does not tell: the files that it names, what the profile
// makes of it, and that every image a carried manifest names is on board.
func Choose(l spec.Loaded) (Choice, error) {
	p, profileErr := profilecatalog.Get(l.Enclave.Kubernetes.Profile)
	engine, engineErr := catalog.Get(l.Enclave.Registry.Engine)
	if err := errors.Join(profileErr, engineErr); err != nil {
		return Choice{}, err
	}
	c := Choice{Spec: l, Profile: p, Engine: engine}
	return c, c.check()
}

// programName is what the go command would call the program: the last element
// of the package's path that is no major version.
func programName(m spec.ModuleImage) string {
	pkg := m.Package
	if pkg == "" {
		pkg = m.Path
	}
	if prefix, major, ok := module.SplitPathVersion(pkg); ok && major != "" {
		pkg = prefix
	}
	return path.Base(pkg)
}

func imageWant(ref string) string    { return "image/" + ref }
func programWant(ref string) string  { return "program/" + ref }
func manifestWant(rel string) string { return "manifest/" + slashed(rel) }

func slashed(rel string) string { return filepath.ToSlash(filepath.Clean(rel)) }

// manifestFile names manifest i of n on the node. It is numbered: kubectl
// applies a folder in the order of its file names, and the order in the Spec is
// the order the author meant. Where the path is long its end counts, which has
// the .yaml that kubectl looks for.
func manifestFile(i, n int, rel string) string {
	const most = 100
	flat := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '_' {
			return r
		}
		return '-'
	}, strings.ToLower(slashed(rel)))
	return fmt.Sprintf("%0*d-%s", max(2, len(strconv.Itoa(n))), i+1, flat[max(0, len(flat)-most):])
}

// Wants is everything the Spec comes to, before anything is pinned.
func (c Choice) Wants() ([]bundle.Want, error) {
	e := c.Spec.Enclave
	wants := slices.Clone(nodeos.Wants(e))
	fromProfile, err := c.Profile.Wants(e)
	if err != nil {
		return nil, err
	}
	wants = append(wants, fromProfile...)
	registry, err := c.Engine.Want(e)
	if err != nil {
		return nil, err
	}
	wants = append(wants, registry)
	for _, im := range e.Images {
		w, err := c.wantImage(im)
		if err != nil {
			return nil, err
		}
		wants = append(wants, w)
	}
	if sealed := e.Secrets.Sealed; sealed != "" {
		wants = append(wants, bundle.Want{Name: wantSealed, File: &bundle.FileWant{Path: sealed, Mode: 0o600}},
			bundle.Want{Name: wantNotes, File: &bundle.FileWant{Path: sealed + spec.NotesSuffix, Mode: 0o644}})
	}
	for _, m := range e.Manifests {
		wants = append(wants, bundle.Want{Name: manifestWant(m), File: &bundle.FileWant{Path: m, Mode: 0o644}})
	}
	return wants, nil
}

func (c Choice) wantImage(im spec.Image) (bundle.Want, error) {
	if im.Module != nil {
		pkg := im.Module.Package
		if pkg == "" {
			pkg = im.Module.Path
		}
		return bundle.Want{Name: programWant(im.Ref), Module: &bundle.ModuleWant{
			Path: im.Module.Path, Version: im.Module.Version, Programs: map[string]string{programName(*im.Module): pkg}}}, nil
	}
	w := bundle.ImageWant{Ref: im.Ref, Platform: "linux/" + spec.Arch, Registry: im.Layout == "" && im.Archive == ""}
	if im.Layout != "" {
		w.Layout = im.Layout
	}
	if im.Archive != "" {
		w.Archive = im.Archive
	}
	if im.Digest != "" {
		d, err := digest.Parse(im.Digest)
		if err != nil {
			return bundle.Want{}, err
		}
		w.Digest = d
	}
	return bundle.Want{Name: imageWant(im.Ref), Image: &w}, nil
}

// recipes is every image that is made here: the profile's, and the Spec's
// programs, which run as nobody from an image that holds nothing else.
func (c Choice) recipes() ([]images.Recipe, error) {
	out, err := c.Profile.Recipes(c.Spec.Enclave)
	if err != nil {
		return nil, err
	}
	for _, im := range c.Spec.Enclave.Images {
		if im.Module == nil {
			continue
		}
		name := programName(*im.Module)
		out = append(out, images.Recipe{Ref: im.Ref, User: "65532:65532", Cmd: im.Module.Args, Entrypoint: []string{"/" + name},
			Layers: []images.Layer{{Files: []images.LayerFile{{Artifact: programWant(im.Ref) + "/" + name, Path: "/" + name, Mode: 0o755}}}}})
	}
	return out, nil
}

// payload is every file that the installer copies to the node as it is.
func (c Choice) payload() ([]profiles.PayloadFile, error) {
	out, err := c.Profile.Payload(c.Spec.Enclave)
	if err != nil {
		return nil, err
	}
	out = append(out, profiles.PayloadFile{Artifact: c.Engine.Binary(), Path: "/usr/local/bin/" + c.Engine.Name(), Mode: 0o755})
	list := c.Spec.Enclave.Manifests
	for i, m := range list {
		out = append(out, profiles.PayloadFile{Artifact: manifestWant(m), Path: path.Join(bundle.NodeManifests, manifestFile(i, len(list), m)), Mode: 0o644})
	}
	return out, nil
}
