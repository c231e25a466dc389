package kubeadm

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
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
	moves := host.IP(in.Answers.Network) != host.IP(in.New)
	if in.Answers.Role != spec.Worker {
		err = bound(in, moves)
	} else if there(in.Root, joining) {
		err = host.NetworkFiles.New("cannot change the network: have a kubeadm that joins this node to its cluster now, need one that has finished").
			Hint("journalctl -u caisson-kubeadm-join says how far it is; try again when it has ended")
	}
	if err != nil {
		return out, err
	}
	if out.Files, err = host.Changes(in.Root, before, after); err != nil {
		return out, err
	}
	if in.Answers.Role == spec.Worker && moves && there(in.Root, joined) {
		flags, err := nodeIP(in.Root, host.IP(in.New))
		if err != nil {
			return out, err
		}
		out.Files = append(out.Files, flags...)
		out.Restart = []string{"kubelet.service"}
		out.Notes = append(out.Notes,
			"The kubelet restarts and asks the cluster for a serving certificate with the new address. Approve it on the control-plane: kubectl get csr, then kubectl certificate approve NAME.",
			"Routes on other machines that lead to this node's pods still name the old address. Whoever set them up has to change them.")
	}
	out.Notes = append(out.Notes, host.ChangeNotes(in)...)
	return out, nil
}

// ownFiles are the profile's files of a node.
func ownFiles(e spec.Enclave, a spec.Answers) ([]images.ServiceFile, error) {
	v, err := versionsOf(e)
	if err != nil {
		return nil, err
	}
	val, err := valuesOf(profiles.RenderInput{Enclave: e, Answers: a}, v)
	if err != nil {
		return nil, err
	}
	return treeOf(a, val)
}

func there(root, path string) bool {
	_, err := os.Stat(filepath.Join(root, path))
	return err == nil
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
		return nil, host.NetworkFiles.New("cannot change the network: have %s that does not begin with %s, need it as kubeadm writes it", kubeletFlags, head)
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
