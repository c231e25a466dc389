package node

import (
	"os"
	"path/filepath"
	"slices"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

// Network is a node as far as its network is in its files.
type Network struct {
	Node
	Config images.ServiceFile   // config.yaml
	Own    []images.ServiceFile // what else of the profile's depends on it
	Link   string               // what the unit looks for once, as it starts; "" if it looks for none
}

// ChangeNetwork says what another network of a node takes; of renders the node. The
// address of a server that was started stays what it is: see ADDRESS-BOUND.
func ChangeNetwork(in profiles.NetworkInput, p release.Product, of func(profiles.RenderInput) (Network, error)) (profiles.NetworkChange, error) {
	var out profiles.NetworkChange
	moves := host.IP(in.Answers.Network) != host.IP(in.New)
	// Before anything is rendered: whether the roster allows the address is nothing
	// that helps here.
	if in.Answers.Role == spec.ControlPlane && moves && begun(in.Root, p) {
		return out, bound(in, p)
	}
	from := profiles.RenderInput{Enclave: in.Enclave, Answers: in.Answers}
	to := from
	to.Answers.Network = in.New
	old, err := of(from)
	if err != nil {
		return out, err
	}
	now, err := of(to)
	if err != nil {
		return out, err
	}
	before, err := old.files()
	if err != nil {
		return out, err
	}
	after, err := now.files()
	if err != nil {
		return out, err
	}
	if out.Files, err = host.Changes(in.Root, before, after); err != nil {
		return out, err
	}
	if old.Link != now.Link || slices.ContainsFunc(out.Files, func(f profiles.FileChange) bool { return f.Path == now.Config.Path }) {
		out.Restart = []string{now.Unit()}
		out.Notes = append(out.Notes, now.Unit()+" restarts. Pods go on running; the node may not be Ready for some minutes.")
	}
	if moves {
		out.Notes = append(out.Notes, "Firewalls and whatever else names this node by its old address have to be changed by whoever set them up.")
	}
	out.Notes = append(out.Notes, host.ChangeNotes(in)...)
	return out, nil
}

func (n Network) files() ([]images.ServiceFile, error) {
	files, err := n.hostFiles()
	return slices.Concat(files, []images.ServiceFile{n.Config}, n.Own), err
}

// begun tells whether the server was started: until then nothing but its files
// holds its address. The CAs may be there before, by the installer.
func begun(root string, p release.Product) bool {
	for _, f := range []string{"/server/db", "/server/tls/serving-kube-apiserver.crt"} {
		if _, err := os.Stat(filepath.Join(root, Data(p)+f)); err == nil {
			return true
		}
	}
	return false
}

// bound names what holds a server's address. On RKE2 and on K3s with etcd the
// product does not start with another: etcd's list of members has it (k3s
// pkg/etcd/etcd.go). With SQLite, too, those that joined go by it.
func bound(in profiles.NetworkInput, p release.Product) error {
	f := host.Bound(host.IP(in.Answers.Network), in.New)
	certificates := "it is in the certificates below " + Data(p) + "/server/tls"
	if p == release.RKE2 || in.Enclave.Kubernetes.Datastore == spec.DatastoreEtcd {
		certificates += ", in etcd's list of members"
	}
	return f.Hint("%s, and in `server:` of each node that joined by it", certificates).
		Hint("VLAN, gateway, length of the network, MTU and resolvers can be changed: keep the address").
		Hint("for another address install this node anew; save what runs on it first")
}
