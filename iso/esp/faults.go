package esp

import "caisson.dev/caisson/internal/fault"

// The codes of this package.
var (
	Invalid  = fault.Define("ESP-INVALID", fault.Internal) // a path, label or time that FAT cannot hold
	TooLarge = fault.Define("ESP-TOO-LARGE", fault.Input)  // boot files that El Torito cannot carry
)
