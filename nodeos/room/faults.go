package room

import "caisson.dev/caisson/internal/fault"

// Full: the node's disk is full, and what may be removed is not enough.
var Full = fault.Define("NODE-DISK-FULL", fault.Node)
