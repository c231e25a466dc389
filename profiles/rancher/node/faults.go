package node

import "caisson.dev/caisson/internal/fault"

var (
	// NoServer: the node is to join a cluster whose first server is not known.
	NoServer = fault.Define("JOIN-SERVER", fault.Input)
	// NoToken: the node is to join a cluster and no token was made beforehand.
	NoToken = fault.Define("JOIN-SECRETS", fault.Input)
	// PackageClash: the Spec adds a package that takes the pod network away.
	PackageClash = fault.Define("OS-PACKAGE-CLASH", fault.Input)
	// NotPrepared: the product would not start on this node as it is.
	NotPrepared = fault.Define("NODE-NOT-PREPARED", fault.Node)
	// UpgradeJobs: the Spec carries what upgrades a cluster from its inside.
	UpgradeJobs = fault.Define("RANCHER-UPGRADE-JOBS", fault.Input)
	// IngressClosed: the Spec carries an ingress to pods that it cannot reach.
	IngressClosed = fault.Define("RANCHER-INGRESS-CLOSED", fault.Input)
)
