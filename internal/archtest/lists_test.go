package archtest

import (
	"slices"
	"testing"

	imagecatalog "caisson.dev/caisson/images/catalog"
	"caisson.dev/caisson/profiles/catalog"
	"caisson.dev/caisson/spec"
)

// TestSpecKnowsTheProfiles: package spec may not import the profiles, so it
// holds their names as text; here the two lists meet.
func TestSpecKnowsTheProfiles(t *testing.T) {
	if have, want := spec.Profiles(), catalog.Names(); !slices.Equal(have, want) {
		t.Errorf("spec.Profiles is %v, the catalog has %v", have, want)
	}
}

// TestSpecKnowsTheEngines does the same for the registry engines.
func TestSpecKnowsTheEngines(t *testing.T) {
	for _, name := range []string{spec.EngineZot, spec.EngineDistribution} {
		if e, err := imagecatalog.Get(name); err != nil || e.Name() != name {
			t.Errorf("the Spec allows registry.engine: %s, and no engine has that name: %v", name, err)
		}
	}
}
