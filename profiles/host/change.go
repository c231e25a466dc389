package host

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// Changes are the files that differ between two renderings of a node. It is
// refused if one of them is not on the node as it was rendered.
func Changes(root string, before, after []images.ServiceFile) ([]profiles.FileChange, error) {
	old, now := byPath(before), byPath(after)
	all := maps.Clone(old)
	maps.Copy(all, now)
	var out []profiles.FileChange
	for _, path := range slices.Sorted(maps.Keys(all)) {
		was, had := old[path]
		is, has := now[path]
		if had == has && bytes.Equal(was.Data, is.Data) {
			continue
		}
		c := profiles.FileChange{Path: path, Mode: max(was.Mode, is.Mode)}
		if had {
			c.Old = was.Data
		}
		if has {
			c.New = is.Data
		}
		if err := asRendered(root, c); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func byPath(files []images.ServiceFile) map[string]images.ServiceFile {
	out := map[string]images.ServiceFile{}
	for _, f := range files {
		out[f.Path] = f
	}
	return out
}

// asRendered refuses a file that somebody changed by hand: what they had in mind
// would be lost, and the old settings could not be told from theirs.
func asRendered(root string, c profiles.FileChange) error {
	have, err := os.ReadFile(filepath.Join(root, c.Path))
	if errors.Is(err, fs.ErrNotExist) && c.Old == nil || err == nil && c.Old != nil && bytes.Equal(have, c.Old) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return NetworkFiles.New("cannot change the network: %w", err)
	}
	return NetworkFiles.New("cannot change the network: have %s with other content than Caisson wrote, need it as it was written", c.Path).
		Hint("somebody changed it by hand; change the network in the same way, or bring the file back first")
}

// Bound is ADDRESS-BOUND for a control plane that was set up with an address.
func Bound(address string, to spec.NodeNetwork) *fault.Fault {
	want := IP(to)
	if want == "" {
		want = "an address of a DHCP server"
	}
	if address == "" {
		address = "the one that DHCP gave it"
	}
	return AddressBound.New("cannot give this node %s: have a control-plane that was set up with %s, need that address to stay", want, address)
}

// IP is the address without the length of its network; "" under DHCP.
func IP(n spec.NodeNetwork) string {
	p, err := netip.ParsePrefix(n.Address)
	if err != nil {
		return ""
	}
	return p.Addr().String()
}

// ChangeNotes are what a person has to know of another network on every node.
func ChangeNotes(in profiles.NetworkInput) []string {
	var out []string
	a := in.Answers
	to := a
	to.Network = in.New
	if !slices.Equal(a.Resolvers(in.Enclave), to.Resolvers(in.Enclave)) {
		out = append(out, "Pods that run keep the old resolvers until they are restarted; CoreDNS too.")
	}
	if a.Network.MTU != in.New.MTU {
		out = append(out, "The pods' own links keep their MTU.")
	}
	if a.Network.MTU != 0 && in.New.MTU == 0 {
		out = append(out, "A card may keep its old MTU until this machine restarts.")
	}
	if in.New.Address == "" {
		out = append(out, "The DHCP server decides on the address. It must give this node the same one each time.")
	}
	return out
}
