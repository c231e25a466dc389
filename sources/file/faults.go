package file

import "caisson.dev/caisson/internal/fault"

// What can go wrong with a single file. The pages are docs/errors/<code>.md.
var (
	Unreadable      = fault.Define("SOURCE-FILE", fault.Input)
	ChecksumMissing = fault.Define("CHECKSUM-MISSING", fault.Source)
	ReleaseMissing  = fault.Define("RELEASE-NOT-FOUND", fault.Source)
)
