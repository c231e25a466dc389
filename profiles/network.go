package profiles

import "caisson.dev/caisson/spec"

// NetworkChanger is a profile that can say what another network of an installed
// node takes. It only says so: package nodeos/netchange does it, and takes it
// back if nobody confirms it.
type NetworkChanger interface {
	// ChangeNetwork compares the files for two networks, and looks at what else of
	// Kubernetes on the node holds the address. It is refused if the change
	// would leave a cluster that does not work.
	ChangeNetwork(in NetworkInput) (NetworkChange, error)
}

// NetworkInput is a node with the network that it has and the one it shall have.
type NetworkInput struct {
	Root    string // "/" on a node, a tree in tests
	Enclave spec.Enclave
	Answers spec.Answers     // complete, with the network as it is
	New     spec.NodeNetwork // passed spec.Complete
}

// NetworkChange is what it takes.
type NetworkChange struct {
	Files   []FileChange
	Restart []string // units, once the new network is up
	Notes   []string // what a person has to know or do, as sentences
}

// FileChange is a file before and after; nil means that there is none.
type FileChange struct {
	Path string `json:"path"`
	Mode uint32 `json:"mode"`
	Old  []byte `json:"old"`
	New  []byte `json:"new"`
}
