package arp

import "caisson.dev/caisson/internal/fault"

var (
	// InUse: another machine has the address that a node shall get.
	InUse = fault.Define("ADDRESS-IN-USE", fault.Machine)
	// Failed: the network could not be asked.
	Failed = fault.Define("ADDRESS-UNTESTED", fault.Machine)
)
