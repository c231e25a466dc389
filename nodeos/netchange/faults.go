package netchange

import "caisson.dev/caisson/internal/fault"

var (
	// Waiting: an earlier change was not settled yet.
	Waiting = fault.Define("NETWORK-UNCONFIRMED", fault.Node)
	// Gone: the change that was to be kept is no longer there.
	Gone = fault.Define("NETWORK-REVERTED", fault.Node)
	// Failed: a step of a change, or of the way back, failed.
	Failed = fault.Define("NETWORK-FAILED", fault.Node)
	// Damaged: what is kept of a change cannot be read.
	Damaged = fault.Define("NETWORK-CHANGE-DAMAGED", fault.Node)
)
