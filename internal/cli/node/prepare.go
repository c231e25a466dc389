package node

import "caisson.dev/caisson/profiles"

type prepareCmd struct{}

// Run lets the profile look at the node before Kubernetes starts.
func (prepareCmd) Run(r *run) error {
	n, err := load(r.root)
	if err != nil {
		return err
	}
	p, ok := n.profile.(profiles.Preparer)
	if !ok {
		return nil
	}
	return p.Prepare(profiles.PrepareInput{Root: r.root, Enclave: n.enclave, Answers: n.answers, Registry: n.service, Epoch: n.manifest.Epoch, Now: r.now()})
}
