package k3sedge

import "caisson.dev/caisson/internal/fault"

// OneServer: the roster has more servers than the profile sets up.
var OneServer = fault.Define("K3S-ONE-SERVER", fault.Input)
