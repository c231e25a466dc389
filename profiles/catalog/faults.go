package catalog

import "caisson.dev/caisson/internal/fault"

// ProfileUnknown: the Spec names a profile that this Caisson does not have.
var ProfileUnknown = fault.Define("PROFILE-UNKNOWN", fault.Input)
