package oci

import "caisson.dev/caisson/internal/fault"

// What can go wrong with an image. The pages are docs/errors/<code>.md.
var (
	Unreachable   = fault.Define("REGISTRY-UNREACHABLE", fault.Source)
	Refused       = fault.Define("REGISTRY-REFUSED", fault.Source)
	Missing       = fault.Define("IMAGE-MISSING", fault.Source)
	NoPlatform    = fault.Define("IMAGE-PLATFORM", fault.Input)
	Unsupported   = fault.Define("IMAGE-UNSUPPORTED", fault.Source)
	BadWant       = fault.Define("IMAGE-WANT", fault.Input)
	BadArchive    = fault.Define("IMAGE-ARCHIVE", fault.Source)
	BadDescriptor = fault.Define("IMAGE-DAMAGED", fault.Source)
)
