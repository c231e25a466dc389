package assemble

import "caisson.dev/caisson/internal/fault"

var (
	artifactMissing = fault.Define("ARTIFACT-MISSING", fault.Internal)
	lockMissing     = fault.Define("LOCK-MISSING", fault.Input)
)
