package node

import (
	"net"
	"net/netip"
	"os"
	"time"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

type keysCmd struct{}

// Run lets the profile make the secrets that never leave the node.
func (keysCmd) Run(r *run) error {
	n, err := load(r.root)
	if err != nil {
		return err
	}
	maker, ok := n.profile.(profiles.KeyMaker)
	if !ok {
		return nil
	}
	addresses, err := ownAddresses()
	if err != nil {
		return err
	}
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	return maker.Keys(profiles.KeysInput{Root: r.root, Node: name, Addresses: addresses, Now: time.Now()})
}

// ownAddresses are the node's addresses at which others may reach it.
func ownAddresses() ([]netip.Addr, error) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	return reachable(list), nil
}

// reachable are addresses without loopback and link-local ones, and without that of
// the route to nowhere.
func reachable(list []net.Addr) []netip.Addr {
	var out []netip.Addr
	for _, a := range list {
		p, err := netip.ParsePrefix(a.String())
		if err != nil || p.Addr().IsLoopback() || p.Addr().IsLinkLocalUnicast() || p.Addr().String() == spec.NowhereAddress {
			continue
		}
		out = append(out, p.Addr().Unmap())
	}
	return out
}
