package kubeadm

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// kubeletFlags is where kubeadm put the kubelet's --node-ip when it joined.
const kubeletFlags = "/var/lib/kubelet/kubeadm-flags.env"

const (
	kubeadmBegun = "/var/lib/caisson/kubeadm.begun"
	kubeadmDone  = "/var/lib/caisson/kubeadm.done"
	joining      = "/etc/kubernetes/bootstrap-kubelet.conf" // there while kubeadm joins the node
	joined       = "/etc/kubernetes/kubelet.conf"
)

// ChangeNetwork says what another network of this node takes. The address of a
// control plane that was set up stays what it is: see ADDRESS-BOUND.
func (p Profile) ChangeNetwork(in profiles.NetworkInput) (profiles.NetworkChange, error) {
	var out profiles.NetworkChange
	before, err := ownFiles(in.Enclave, in.Answers)
	if err != nil {
		return out, err
	}
	to := in.Answers
	to.Network = in.New
	after, err := ownFiles(in.Enclave, to)
	if err != nil {
		return out, err
	}
	moves := ip(in.Answers.Network) != ip(in.New)
	if in.Answers.Role != spec.Worker {
		err = bound(in, moves)
	} else if there(in.Root, joining) {
		err = NetworkFiles.New("cannot change the network: have a kubeadm that joins this node to its cluster now, need one that has finished").
			Hint("journalctl -u caisson-kubeadm-join says how far it is; try again when it has ended")
	}
	if err != nil {
		return out, err
	}
	for _, path := range slices.Sorted(maps.Keys(union(before, after))) {
		old, had := before[path]
		now, has := after[path]
		if had == has && bytes.Equal(old.Data, now.Data) {
			continue
		}
		c := profiles.FileChange{Path: path, Mode: max(old.Mode, now.Mode)}
		if had {
			c.Old = old.Data
		}
		if has {
			c.New = now.Data
		}
		if err := asRendered(in.Root, c); err != nil {
			return out, err
		}
		out.Files = append(out.Files, c)
	}
	if in.Answers.Role == spec.Worker && moves && there(in.Root, joined) {
		flags, err := nodeIP(in.Root, ip(in.New))
		if err != nil {
			return out, err
		}
		out.Files = append(out.Files, flags...)
		out.Restart = []string{"kubelet.service"}
		out.Notes = append(out.Notes,
			"The kubelet restarts and asks the cluster for a serving certificate with the new address. Approve it on the control-plane: kubectl get csr, then kubectl certificate approve NAME.",
			"Routes on other machines that lead to this node's pods still name the old address. Whoever set them up has to change them.")
	}
	out.Notes = append(out.Notes, notes(in)...)
	return out, nil
}

// notes are what holds for every node.
func notes(in profiles.NetworkInput) []string {
	var out []string
	a := in.Answers
	if old := a.Resolvers(in.Enclave); !slices.Equal(old, withNetwork(a, in.New).Resolvers(in.Enclave)) {
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

func withNetwork(a spec.Answers, n spec.NodeNetwork) spec.Answers { a.Network = n; return a }

// ownFiles are the profile's files of a node, by path.
func ownFiles(e spec.Enclave, a spec.Answers) (map[string]images.ServiceFile, error) {
	v, err := versionsOf(e)
	if err != nil {
		return nil, err
	}
	val, err := valuesOf(profiles.RenderInput{Enclave: e, Answers: a}, v)
	if err != nil {
		return nil, err
	}
	files, err := treeOf(a, val)
	if err != nil {
		return nil, err
	}
	out := map[string]images.ServiceFile{}
	for _, f := range files {
		out[f.Path] = f
	}
	return out, nil
}

func union[V any](a, b map[string]V) map[string]V {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// ip is the address without the length of its network; "" under DHCP.
func ip(n spec.NodeNetwork) string {
	p, err := netip.ParsePrefix(n.Address)
	if err != nil {
		return ""
	}
	return p.Addr().String()
}

func there(root, path string) bool {
	_, err := os.Stat(filepath.Join(root, path))
	return err == nil
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

var nodeIPFlag = regexp.MustCompile(` ?--node-ip=[^\s"]*`)

// nodeIP is the change of the kubelet's flags; address "" leaves the choice to
// the kubelet.
func nodeIP(root, address string) ([]profiles.FileChange, error) {
	old, err := os.ReadFile(filepath.Join(root, kubeletFlags))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	const head = `KUBELET_KUBEADM_ARGS="`
	if err != nil || !strings.HasPrefix(string(old), head) {
		return nil, NetworkFiles.New("cannot change the network: have %s that does not begin with %s, need it as kubeadm writes it", kubeletFlags, head)
	}
	text := nodeIPFlag.ReplaceAllString(string(old), "")
	if address != "" {
		rest := strings.TrimLeft(strings.TrimPrefix(text, head), " ")
		if !strings.HasPrefix(rest, `"`) {
			rest = " " + rest
		}
		text = head + "--node-ip=" + address + rest
	}
	if text == string(old) {
		return nil, nil
	}
	return []profiles.FileChange{{Path: kubeletFlags, Mode: 0o600, Old: old, New: []byte(text)}}, nil
}
