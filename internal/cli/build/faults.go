package build

import "caisson.dev/caisson/internal/fault"

var (
	stopped        = fault.Define("STOPPED", fault.Stopped)
	unknownCode    = fault.Define("CODE-UNKNOWN", fault.Usage)
	unreadable     = fault.Define("FILE-UNREADABLE", fault.Input)
	outputExists   = fault.Define("OUTPUT-EXISTS", fault.Usage)
	programMissing = fault.Define("PROGRAM-MISSING", fault.Machine)
)
