package newfile

import "caisson.dev/caisson/internal/fault"

// Unwritable is a path at which no file can be put.
var Unwritable = fault.Define("OUTPUT-UNWRITABLE", fault.Usage)
