package catalog

import "caisson.dev/caisson/internal/fault"

var engineUnknown = fault.Define("REGISTRY-ENGINE-UNKNOWN", fault.Input)
