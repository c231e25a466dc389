package release

import "caisson.dev/caisson/internal/fault"

// What can be wrong with a release. The pages are docs/errors/<code>.md.
var (
	// VersionUnknown: the version is none of the product's, or of a line that the
	// table does not hold.
	VersionUnknown = fault.Define("RELEASE-VERSION", fault.Input)
	// ChoiceRefused: the release has no files for this machine, network or ingress.
	ChoiceRefused = fault.Define("RELEASE-CHOICE", fault.Input)
	// BundleDamaged: RKE2's bundle is broken, or lacks what it must have.
	BundleDamaged = fault.Define("RELEASE-BUNDLE", fault.Source)
)
