package record

import "caisson.dev/caisson/internal/fault"

// Unreadable: the file is no Record of this version.
var Unreadable = fault.Define("RECORD-UNREADABLE", fault.Node)
