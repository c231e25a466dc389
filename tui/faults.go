package tui

import "caisson.dev/caisson/internal/fault"

// What the screens themselves refuse. What is wrong with answers is said by
// package spec, with a machine or a disk by package plan.
var (
	Refused         = fault.Define("CHOICE-REFUSED", fault.Input)
	ClockWild       = fault.Define("CLOCK-BEFORE-MEDIUM", fault.Machine)
	ClockForm       = fault.Define("CLOCK-UNREADABLE", fault.Input)
	Mistyped        = fault.Define("CONSENT-MISTYPED", fault.Input)
	PasswordLength  = fault.Define("PASSWORD-LENGTH", fault.Input)
	PasswordDiffers = fault.Define("PASSWORD-DIFFERS", fault.Input)
	Changed         = fault.Define("MEDIUM-CHANGED", fault.Media)
	Ended           = fault.Define("CONSOLES-GONE", fault.Machine)
)
