package proof

import "caisson.dev/caisson/internal/fault"

// Refused: RKE2's own library does not find in registries.yaml what was meant.
var Refused = fault.Define("REGISTRIES-REFUSED", fault.Internal)
