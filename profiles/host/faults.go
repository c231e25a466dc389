package host

import "caisson.dev/caisson/internal/fault"

var (
	// RenderIncomplete: the Answers lack what a node's configuration needs.
	RenderIncomplete = fault.Define("RENDER-INCOMPLETE", fault.Input)
	// AddressBound: the control plane was set up with another address.
	AddressBound = fault.Define("ADDRESS-BOUND", fault.Node)
	// NetworkFiles: the node's network is not as Caisson wrote it.
	NetworkFiles = fault.Define("NETWORK-FILES", fault.Node)
)
