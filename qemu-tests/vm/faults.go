package vm

import "caisson.dev/caisson/internal/fault"

// The codes of this package.
var (
	ConfigWrong     = fault.Define("VM-CONFIG-WRONG", fault.Usage)
	QEMUMissing     = fault.Define("VM-QEMU-MISSING", fault.Machine)
	FirmwareMissing = fault.Define("VM-FIRMWARE-MISSING", fault.Machine)
	StartFailed     = fault.Define("VM-START-FAILED", fault.Machine)
	GuestStopped    = fault.Define("VM-GUEST-STOPPED", fault.Node)
	GuestSilent     = fault.Define("VM-GUEST-SILENT", fault.Node)
	GuestError      = fault.Define("VM-GUEST-ERROR", fault.Node)
	ControlRefused  = fault.Define("VM-CONTROL-REFUSED", fault.Internal)
)
