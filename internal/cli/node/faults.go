package node

import "caisson.dev/caisson/internal/fault"

var (
	// AnswersNone: nobody said what this node is to be.
	AnswersNone = fault.Define("ANSWERS-NONE", fault.Input)
	// HealthFailed: this version of the node OS does not work on this node.
	HealthFailed = fault.Define("HEALTH-FAILED", fault.Node)
	// WaitTimeout: a URL did not answer in time.
	WaitTimeout = fault.Define("WAIT-TIMEOUT", fault.Node)
	// NodeFiles: what the installer left on the node is missing or damaged.
	NodeFiles = fault.Define("NODE-FILES", fault.Node)
)
