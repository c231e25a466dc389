package secrets

import "caisson.dev/caisson/internal/fault"

var (
	// NotSealed: the file is not one that a passphrase opens.
	NotSealed = fault.Define("SECRETS-NOT-SEALED", fault.Input)
	// Foreign: the sealed file and what is said of it are not a pair, or are of
	// another enclave.
	Foreign = fault.Define("SECRETS-FOREIGN", fault.Input)
	// WrongPassphrase: the passphrase does not open the file.
	WrongPassphrase = fault.Define("SECRETS-PASSPHRASE", fault.Input)
	// WeakPassphrase: the passphrase may not be used to seal.
	WeakPassphrase = fault.Define("PASSPHRASE-REFUSED", fault.Input)
	// Differ: what was sealed is not what is said of it in clear.
	Differ = fault.Define("SECRETS-DIFFER", fault.Media)
	// OutOfTime: the clock is not within the life of the cluster's CAs.
	OutOfTime = fault.Define("SECRETS-OUT-OF-TIME", fault.Machine)
)
