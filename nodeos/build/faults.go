package build

import "caisson.dev/caisson/internal/fault"

var (
	toolMissing  = fault.Define("OS-TOOL-MISSING", fault.Machine)
	rights       = fault.Define("OS-BUILD-RIGHTS", fault.Machine)
	buildFailed  = fault.Define("OS-BUILD-FAILED", fault.Machine)
	incomplete   = fault.Define("OS-BASE-INCOMPLETE", fault.Source)
	inputMissing = fault.Define("OS-INPUT-MISSING", fault.Internal)
)
