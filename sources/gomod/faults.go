package gomod

import "caisson.dev/caisson/internal/fault"

// What can go wrong between a module and a program. The pages are docs/errors/<code>.md.
var (
	GoMissing        = fault.Define("GO-MISSING", fault.Machine)
	GoDifferent      = fault.Define("GO-DIFFERENT", fault.Machine)
	CCMissing        = fault.Define("CC-MISSING", fault.Machine)
	ModuleUnresolved = fault.Define("MODULE-UNRESOLVED", fault.Source)
	CompileFailed    = fault.Define("COMPILE-FAILED", fault.Source)
)
