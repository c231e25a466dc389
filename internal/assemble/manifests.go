package assemble

import (
	"errors"
	"fmt"
	"slices"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/registries"
	"caisson.dev/caisson/profiles/rancher/registries/proof"
	"caisson.dev/caisson/spec"
	"caisson.dev/caisson/spec/manifests"
)

// check finds what would fail later, all at once.
func (c Choice) check() error {
	files, unread := manifests.Load(c.Spec)
	uses, unclear := manifests.Uses(files)
	errs := []error{spec.CheckFiles(c.Spec), c.checkSecrets(), c.checkExceptions(), unread, unclear}
	if refs, err := c.profileRefs(); err != nil {
		// Which images are on board is not known then, and the wants hang on the
		// same thing.
		errs = append(errs, err)
	} else {
		_, err := c.Wants()
		errs = append(errs, err, c.checkRefs(refs), manifests.Check(uses, c.Spec.Enclave, refs), c.checkObjects(files))
		if err == nil {
			errs = append(errs, c.checkNodes(), c.checkRegistries(refs))
		}
	}
	return errors.Join(errs...)
}

// checkObjects asks the profile about what the manifests make.
func (c Choice) checkObjects(files []manifests.File) error {
	judge, ok := c.Profile.(profiles.ManifestJudge)
	if !ok {
		return nil
	}
	var objects []profiles.Object
	for _, o := range manifests.Objects(files) {
		objects = append(objects, profiles.Object(o))
	}
	return judge.CheckManifests(c.Spec.Enclave, objects)
}

// checkNodes renders each node of the roster, so that what its profile refuses is
// known at the desk. What is wrong with all of them is said once.
func (c Choice) checkNodes() error {
	var errs []error
	seen := map[string]bool{}
	for _, n := range c.Spec.Enclave.Nodes {
		_, err := c.Render(spec.Answers{Node: n.Name})
		if err != nil && !seen[err.Error()] {
			seen[err.Error()] = true
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// checkExceptions refuses an exception to a line that no role's CIS table has:
// it would except nothing, and a person thinks that it does. The ids are those of
// the benchmark that the version of Kubernetes is held to.
func (c Choice) checkExceptions() error {
	var ids []string
	benchmark := profiles.BenchmarkOf(c.Profile, c.Spec.Enclave.Kubernetes.Version)
	for _, role := range []string{spec.ControlPlane, spec.Worker} {
		for _, k := range c.Profile.Checks(role, benchmark) {
			ids = append(ids, k.ID)
		}
	}
	var errs []error
	for i, x := range c.Spec.Enclave.Kubernetes.Exceptions {
		if slices.Contains(ids, x.ID) {
			continue
		}
		f := c.Spec.Refuse(spec.BadValue, fmt.Sprintf("kubernetes.exceptions[%d].id", i), fmt.Sprintf("%q", x.ID), "an id of the CIS table of the profile "+c.Profile.Name()+", benchmark "+benchmark)
		if near := spec.Nearest(x.ID, ids); near != "" {
			f.Hint("did you mean %s?", near)
		}
		errs = append(errs, f)
	}
	return errors.Join(errs...)
}

// profileRefs lists the profile's own images, by reference.
func (c Choice) profileRefs() ([]string, error) {
	recipes, err := c.Profile.Recipes(c.Spec.Enclave)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range recipes {
		out = append(out, r.Ref)
	}
	return out, nil
}

// checkRefs refuses an image of the Spec that has the name of one of the
// profile's: a name stands for one image.
func (c Choice) checkRefs(profile []string) error {
	own := map[string]bool{}
	for _, ref := range profile {
		full, err := spec.NormalizeRef(ref)
		if err != nil {
			return err
		}
		own[full] = true
	}
	var errs []error
	for i, im := range c.Spec.Enclave.Images {
		full, err := spec.NormalizeRef(im.Ref)
		if err != nil {
			return err
		}
		if own[full] {
			errs = append(errs, c.Spec.Refuse(images.ErrRefTwice, fmt.Sprintf("images[%d].ref", i),
				full+", which the profile "+c.Profile.Name()+" makes too", "each image once").
				Hint("the profile carries it already: leave it out"))
		}
	}
	return errors.Join(errs...)
}

// carried lists the references of all images on the medium.
func (c Choice) carried(profile []string) []string {
	out := slices.Clone(profile)
	for _, im := range c.Spec.Enclave.Images {
		out = append(out, im.Ref)
	}
	return out
}

// checkRegistries has the library that RKE2 and K3s read registries.yaml with judge
// the one that their nodes will get.
func (c Choice) checkRegistries(profile []string) error {
	p, ok := map[string]config.Product{spec.ProfileRKE2: config.RKE2, spec.ProfileK3s: config.K3s}[c.Profile.Name()]
	if !ok {
		return nil
	}
	r, err := registries.Of(c.Engine.Service().Mirror(), c.carried(profile))
	if err != nil {
		return err
	}
	data, err := r.YAML()
	if err != nil {
		return err
	}
	return proof.Registries(p, r, data)
}

// Render is the Ignition config of one node as the installer would apply it,
// in canonical JSON: no medium is needed, because it depends on the Spec only.
func (c Choice) Render(a spec.Answers) ([]byte, error) {
	complete, err := spec.Complete(c.Spec.Enclave, a)
	if err != nil {
		return nil, err
	}
	refs, err := c.profileRefs()
	if err != nil {
		return nil, err
	}
	var m bundle.Manifest
	for _, ref := range c.carried(refs) {
		m.Images = append(m.Images, bundle.ImageEntry{Ref: ref})
	}
	rendered, err := c.Profile.Render(profiles.RenderInput{Enclave: c.Spec.Enclave, Answers: complete, Manifest: m, Registry: c.Engine.Service()})
	if err != nil {
		return nil, err
	}
	return canon.JSON(rendered)
}
