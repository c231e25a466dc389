package iso9660

import "caisson.dev/caisson/internal/fault"

// The codes of this package.
var (
	BadEntry  = fault.Define("ISO-ENTRY", fault.Internal)        // a path, label or size that this format cannot hold
	Changed   = fault.Define("ISO-SOURCE-CHANGED", fault.Source) // a file is not what was announced when the layout was made
	Foreign   = fault.Define("ISO-FOREIGN", fault.Media)         // not an ISO 9660 file system that this reader knows
	Truncated = fault.Define("ISO-TRUNCATED", fault.Media)       // the medium ends before its file system does
	Broken    = fault.Define("ISO-DAMAGED", fault.Media)         // the file system's structures contradict themselves
)
