package registries

import "caisson.dev/caisson/internal/fault"

var (
	// Invalid: the registries, or a registries.yaml, cannot be used as they are.
	Invalid = fault.Define("REGISTRIES-INVALID", fault.Input)
	// Leak: for some image the software would ask a registry outside.
	Leak = fault.Define("REGISTRIES-LEAK", fault.Node)
)
