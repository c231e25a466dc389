package archive

import "caisson.dev/caisson/internal/fault"

var (
	// Missing: a needed image is in no archive.
	Missing = fault.Define("RANCHER-IMAGE-MISSING", fault.Source)
	// Unreadable: RKE2 or K3s would not read the archive, or not all of it.
	Unreadable = fault.Define("RANCHER-ARCHIVE", fault.Source)
)
