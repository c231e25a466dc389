package deb

import "caisson.dev/caisson/internal/fault"

// Damaged is a package that cannot be read; one made to harm is unpack.Hostile.
// The page is docs/errors/ARCHIVE-DAMAGED.md.
var Damaged = fault.Define("ARCHIVE-DAMAGED", fault.Source)
