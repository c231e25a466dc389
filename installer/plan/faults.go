package plan

import "caisson.dev/caisson/internal/fault"

// What can stand between a machine and an install. Sizes are refused by package
// disk, answers by package spec.
var (
	NoDisk         = fault.Define("NO-DISK", fault.Machine)
	DiskAmbiguous  = fault.Define("DISK-AMBIGUOUS", fault.Input)
	DiskIsMedium   = fault.Define("DISK-IS-MEDIUM", fault.Input)
	DiskReadOnly   = fault.Define("DISK-READ-ONLY", fault.Machine)
	DiskNotBlank   = fault.Define("DISK-NOT-BLANK", fault.Machine)
	EraseMissing   = fault.Define("ERASE-NOT-CONFIRMED", fault.Input)
	EraseMismatch  = fault.Define("ERASE-MISMATCH", fault.Input)
	MemoryTooSmall = fault.Define("MEMORY-TOO-SMALL", fault.Machine)
	CPUsTooFew     = fault.Define("CPUS-TOO-FEW", fault.Machine)
	FirmwareBIOS   = fault.Define("FIRMWARE-BIOS", fault.Machine)
	PayloadPath    = fault.Define("PAYLOAD-PATH", fault.Media)
	ConfigRefused  = fault.Define("CONFIG-REFUSED", fault.Internal)
	SecretsMissing = fault.Define("SECRETS-MISSING", fault.Media)
	Stale          = fault.Define("PLAN-STALE", fault.Machine)
)
