package disk

import "caisson.dev/caisson/internal/fault"

var (
	// TooSmall: the disk cannot hold the layout.
	TooSmall = fault.Define("DISK-TOO-SMALL", fault.Machine)
	// SectorSize: the disk's logical sectors are neither 512 nor 4096 bytes.
	SectorSize = fault.Define("DISK-SECTOR-SIZE", fault.Machine)
)
