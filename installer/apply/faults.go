package apply

import "caisson.dev/caisson/internal/fault"

var (
	// ReadBack: the device did not give back what was written.
	ReadBack = fault.Define("WRITE-NOT-READ-BACK", fault.Machine)
	// Differs: bytes of the medium were not those of the plan.
	Differs = fault.Define("BYTES-DIFFER", fault.Media)
	// SecretsNotOpened: the plan places secrets that nobody opened.
	SecretsNotOpened = fault.Define("SECRETS-NOT-OPENED", fault.Input)
	// Stopped: the install was interrupted from outside.
	Stopped = fault.Define("INSTALL-STOPPED", fault.Stopped)
)
