package deb

import "caisson.dev/caisson/internal/fault"

// What can be wrong with a package. The pages are docs/errors/<code>.md.
var (
	Damaged = fault.Define("ARCHIVE-DAMAGED", fault.Source)
	Hostile = fault.Define("ARCHIVE-HOSTILE", fault.Source)
)
