package assemble

import "caisson.dev/caisson/internal/fault"

var (
	artifactMissing = fault.Define("ARTIFACT-MISSING", fault.Internal)
	lockMissing     = fault.Define("LOCK-MISSING", fault.Input)
	// A stand-in of the tests in a vendor's place, and a file that cannot be looked
	// through for one.
	standInRefused = fault.Define("STAND-IN-REFUSED", fault.Input)
	standInUnknown = fault.Define("STAND-IN-UNKNOWN", fault.Input)
)
