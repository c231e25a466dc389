package images

import "caisson.dev/caisson/internal/fault"

// The codes of this package and of the engines below it. Each has its page in
// docs/errors.
var (
	ErrRefInvalid      = fault.Define("IMAGE-REF-INVALID", fault.Input)
	ErrRefTwice        = fault.Define("IMAGE-REF-TWICE", fault.Input)
	ErrNameReserved    = fault.Define("IMAGE-NAME-RESERVED", fault.Input)
	ErrBlobMissing     = fault.Define("IMAGE-BLOB-MISSING", fault.Media)
	ErrBlobDiffers     = fault.Define("IMAGE-BLOB-DIFFERS", fault.Media)
	ErrManifestRefused = fault.Define("IMAGE-MANIFEST-REFUSED", fault.Media)
	ErrRecipeInvalid   = fault.Define("IMAGE-RECIPE-INVALID", fault.Internal)
	ErrPackageRefused  = fault.Define("IMAGE-PACKAGE-REFUSED", fault.Source)
	ErrLayFailed       = fault.Define("REGISTRY-LAY-FAILED", fault.Machine)
	ErrBinaryMissing   = fault.Define("REGISTRY-BINARY-MISSING", fault.Input)
)
