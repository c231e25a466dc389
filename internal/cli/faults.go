// Package cli is what the two command lines (build, node) have in common: the
// code of a command line that cannot be read. Everything else is theirs.
package cli

import "caisson.dev/caisson/internal/fault"

// BadUsage is a command line that could not be read.
var BadUsage = fault.Define("USAGE", fault.Usage)
