package gpt

import "caisson.dev/caisson/internal/fault"

// The codes of this package.
var (
	Invalid = fault.Define("GPT-INVALID", fault.Internal) // a Table that breaks the rules of its format
	Absent  = fault.Define("GPT-ABSENT", fault.Machine)   // the disk has no GUID partition table
	Damaged = fault.Define("GPT-DAMAGED", fault.Machine)  // neither copy of the table is whole
)
