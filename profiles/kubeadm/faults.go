package kubeadm

import "caisson.dev/caisson/internal/fault"

var (
	// KubernetesVersion: the Spec asks for a version that the table does not hold.
	KubernetesVersion = fault.Define("KUBERNETES-VERSION", fault.Input)
	// KubernetesSource: the Spec asks for another origin of the programs than modules.
	KubernetesSource = fault.Define("KUBERNETES-SOURCE", fault.Input)
	// NodeKeysLost: data is there that was encrypted with a key that is gone.
	NodeKeysLost = fault.Define("NODE-KEYS-LOST", fault.Node)
	// NodeInitFailed: kubeadm ran and did not finish.
	NodeInitFailed = fault.Define("NODE-INIT-FAILED", fault.Node)
)
