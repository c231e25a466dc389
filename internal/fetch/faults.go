package fetch

import "caisson.dev/caisson/internal/fault"

// What can go wrong between here and a server. The pages are docs/errors/<code>.md.
var (
	Unreachable = fault.Define("SOURCE-UNREACHABLE", fault.Source)
	NotFound    = fault.Define("SOURCE-NOT-FOUND", fault.Source)
	Refused     = fault.Define("SOURCE-REFUSED", fault.Source)
	Oversize    = fault.Define("SOURCE-OVERSIZE", fault.Source)
)
