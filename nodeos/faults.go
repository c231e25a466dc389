package nodeos

import "caisson.dev/caisson/internal/fault"

var bootPieceMissing = fault.Define("OS-BOOT-PIECE-MISSING", fault.Media)
