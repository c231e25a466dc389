package host

import "caisson.dev/caisson/internal/fault"

// RenderIncomplete: the Answers lack what a node's configuration needs.
var RenderIncomplete = fault.Define("RENDER-INCOMPLETE", fault.Input)
