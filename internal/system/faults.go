package system

import "caisson.dev/caisson/internal/fault"

var (
	// DiskInUse: something on this machine uses the disk.
	DiskInUse = fault.Define("DISK-IN-USE", fault.Machine)
	// Tool: a program that the installer runs is missing or failed.
	Tool = fault.Define("TOOL-FAILED", fault.Machine)
	// Write: the machine refused a write, a mount or the like.
	Write = fault.Define("SYSTEM-CALL", fault.Machine)
)
