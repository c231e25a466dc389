package iso

import "caisson.dev/caisson/internal/fault"

// The codes of this package.
var (
	BadMedium = fault.Define("MEDIUM-INVALID", fault.Input) // a Medium that cannot become a bootable image
	BadPiece  = fault.Define("BOOT-PIECE", fault.Source)    // a boot loader file that is not what it should be
)
