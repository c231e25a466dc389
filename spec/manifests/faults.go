package manifests

import "caisson.dev/caisson/internal/fault"

// What can be wrong with a carried manifest. Each has a page in docs/errors.
var (
	Unreadable = fault.Define("SPEC-MANIFEST", fault.Input)
	NotCarried = fault.Define("SPEC-IMAGE-NOT-CARRIED", fault.Input)
)
