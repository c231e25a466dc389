package debian

import "caisson.dev/caisson/internal/fault"

// What can go wrong between an archive and a file. The pages are docs/errors/<code>.md.
var (
	AptMissing     = fault.Define("APT-MISSING", fault.Machine)
	KeyringMissing = fault.Define("DEBIAN-KEYRING-MISSING", fault.Machine)
	Untrusted      = fault.Define("DEBIAN-UNTRUSTED", fault.Source)
	ArchiveFailed  = fault.Define("DEBIAN-ARCHIVE", fault.Source)
	BadWant        = fault.Define("DEBIAN-WANT", fault.Input)
	Unresolved     = fault.Define("DEBIAN-UNRESOLVED", fault.Input)
	VersionGone    = fault.Define("DEBIAN-VERSION-GONE", fault.Source)
	FileMissing    = fault.Define("DEBIAN-FILE-MISSING", fault.Source)
)
