package unpack

import "caisson.dev/caisson/internal/fault"

// Hostile is what no honest archive holds; readers of archives use it for their
// own findings too. The page is docs/errors/ARCHIVE-HOSTILE.md.
var Hostile = fault.Define("ARCHIVE-HOSTILE", fault.Source)
