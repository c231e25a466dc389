package assemble

import (
	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
	"caisson.dev/caisson/spec/manifests"
)

// refs lists the images that are made here, by reference.
func (c Choice) refs() ([]string, error) {
	recipes, err := c.recipes()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range recipes {
		out = append(out, r.Ref)
	}
	return out, nil
}

// checkManifests refuses a carried manifest that names an image that is not on
// board: on site nothing could pull it.
func (c Choice) checkManifests() error {
	files, err := manifests.Load(c.Spec)
	if err != nil {
		return err
	}
	refs, err := c.refs()
	if err != nil {
		return err
	}
	return manifests.Check(files, c.Spec.Enclave, refs)
}

// Render is the Ignition config of one node as the installer would apply it,
// in canonical JSON: no medium is needed, because it depends on the Spec only.
func (c Choice) Render(a spec.Answers) ([]byte, error) {
	complete, err := spec.Complete(c.Spec.Enclave, a)
	if err != nil {
		return nil, err
	}
	refs, err := c.refs()
	if err != nil {
		return nil, err
	}
	var m bundle.Manifest
	for _, ref := range refs {
		m.Images = append(m.Images, bundle.ImageEntry{Ref: ref})
	}
	for _, im := range c.Spec.Enclave.Images {
		m.Images = append(m.Images, bundle.ImageEntry{Ref: im.Ref})
	}
	config, err := c.Profile.Render(profiles.RenderInput{Enclave: c.Spec.Enclave, Answers: complete, Manifest: m, Registry: c.Engine.Service()})
	if err != nil {
		return nil, err
	}
	return canon.JSON(config)
}
