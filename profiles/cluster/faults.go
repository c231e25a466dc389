package cluster

import "caisson.dev/caisson/internal/fault"

var (
	// NodeCredentials: the node's own kubeconfig cannot be used.
	NodeCredentials = fault.Define("NODE-CREDENTIALS", fault.Node)
	// NodeNotReady: the time ended before the node was ready.
	NodeNotReady = fault.Define("NODE-NOT-READY", fault.Node)
	// ManifestRefused: the cluster did not take a carried manifest.
	ManifestRefused = fault.Define("MANIFEST-REFUSED", fault.Node)
	// WorkloadNotReady: a carried workload did not become ready in time.
	WorkloadNotReady = fault.Define("WORKLOAD-NOT-READY", fault.Node)
)
