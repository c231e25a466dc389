// Package catalog lists the profiles that this Caisson knows. It is the one
// place that imports them all: profiles do not know one another, and nothing
// registers itself. It stands between the Spec (kubernetes.profile) and every
// stage that asks a profile something.
package catalog

import (
	"slices"
	"strings"

	"caisson.dev/caisson/profiles"
	k3sedge "caisson.dev/caisson/profiles/k3s-edge"
	"caisson.dev/caisson/profiles/kubeadm"
	"caisson.dev/caisson/profiles/rke2-cis"
)

// all is every profile, in the order in which a person is shown them.
func all() []profiles.Profile {
	return []profiles.Profile{kubeadm.New(), rke2cis.New(), k3sedge.New()}
}

// Names lists the profiles' names.
func Names() []string {
	var names []string
	for _, p := range all() {
		names = append(names, p.Name())
	}
	return names
}

// Get finds a profile by the name that kubernetes.profile holds. Any other name
// is refused with PROFILE-UNKNOWN.
func Get(name string) (profiles.Profile, error) {
	known := all()
	i := slices.IndexFunc(known, func(p profiles.Profile) bool { return p.Name() == name })
	if i < 0 {
		return nil, ProfileUnknown.New("cannot use profile %q: have no such profile, need one of %s", name, strings.Join(Names(), ", ")).
			Hint("set kubernetes.profile in the Spec to one of these names")
	}
	return known[i], nil
}
