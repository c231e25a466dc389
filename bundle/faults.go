package bundle

import "caisson.dev/caisson/internal/fault"

// What can go wrong with things that travel. The pages are docs/errors/<code>.md.
var (
	DigestMismatch = fault.Define("DIGEST-MISMATCH", fault.Source)
	DiskFull       = fault.Define("DISK-FULL", fault.Machine)
	Unwritable     = fault.Define("FILE-UNWRITABLE", fault.Machine)
	StoreDamaged   = fault.Define("STORE-DAMAGED", fault.Machine)
	Interrupted    = fault.Define("INTERRUPTED", fault.Stopped)

	WantConflict = fault.Define("WANT-CONFLICT", fault.Input)
	LockDamaged  = fault.Define("LOCK-DAMAGED", fault.Input)
	LockStale    = fault.Define("LOCK-STALE", fault.Input)

	ManifestDamaged    = fault.Define("MANIFEST-DAMAGED", fault.Media)
	ManifestBadPath    = fault.Define("MANIFEST-PATH", fault.Media)
	ManifestPathTwice  = fault.Define("MANIFEST-PATH-TWICE", fault.Media)
	ManifestIncomplete = fault.Define("MANIFEST-INCOMPLETE", fault.Media)

	SealedDamaged = fault.Define("SECRETS-NOTES", fault.Input)

	MediaForeign     = fault.Define("MEDIA-FOREIGN", fault.Media)
	MediaDamaged     = fault.Define("MEDIA-DAMAGED", fault.Media)
	MediaExtraFile   = fault.Define("MEDIA-EXTRA-FILE", fault.Media)
	MediaMissingFile = fault.Define("MEDIA-MISSING-FILE", fault.Media)
)
