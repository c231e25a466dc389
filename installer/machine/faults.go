package machine

import "caisson.dev/caisson/internal/fault"

// ProbeFailed: the system does not show its hardware.
var ProbeFailed = fault.Define("MACHINE-PROBE", fault.Machine)
