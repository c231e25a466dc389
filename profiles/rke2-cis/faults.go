package rke2cis

import "caisson.dev/caisson/internal/fault"

// ChartTaken: the Spec carries settings for a chart that the profile has settings
// for, and only one of the two would count.
var ChartTaken = fault.Define("RKE2-CHART-TAKEN", fault.Input)
