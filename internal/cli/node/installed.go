package node

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/nodeos/netchange"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/catalog"
	"caisson.dev/caisson/spec"
)

// installed is what the installer left on this node.
type installed struct {
	enclave  spec.Enclave
	answers  spec.Answers
	manifest bundle.Manifest
	profile  profiles.Profile
	service  images.Service
}

// load reads it; root is "/" on a node.
func load(root string) (installed, error) {
	var n installed
	dir := filepath.Join(root, plan.NodeDir)
	raw, err := os.ReadFile(filepath.Join(dir, "caisson.yaml"))
	if err != nil {
		return n, damaged(err)
	}
	loaded, err := spec.Parse(raw, dir)
	if err != nil {
		return n, damaged(err)
	}
	n.enclave = loaded.Enclave
	if raw, err = os.ReadFile(filepath.Join(dir, "answers.json")); err != nil {
		return n, damaged(err)
	}
	if err := json.Unmarshal(raw, &n.answers); err != nil {
		return n, damaged(err)
	}
	if n.answers.Network, err = netchange.NetworkOf(root, n.answers.Network); err != nil {
		return n, damaged(err)
	}
	if raw, err = os.ReadFile(filepath.Join(dir, "manifest.json")); err != nil {
		return n, damaged(err)
	}
	if n.manifest, err = bundle.ReadManifest(raw); err != nil {
		return n, damaged(err)
	}
	if n.profile, err = catalog.Get(n.enclave.Kubernetes.Profile); err != nil {
		return n, err
	}
	n.service = engine(n.enclave).Service()
	return n, nil
}

func damaged(err error) error {
	f := NodeFiles.New("cannot read what the installer left in %s: %w", plan.NodeDir, err)
	if errors.Is(err, os.ErrNotExist) {
		f.Hint("this system was not installed from a Caisson medium, or STATE is not mounted on /var")
	}
	return f
}

// slot is which copy of the node OS runs: a or b; empty on the medium.
func slot(cmdline string) string { return argument(cmdline, "caisson.slot") }

// live says that this is the medium's own system, not an installed node.
func live(cmdline string) bool { return flagged(cmdline, "caisson.live") }

// mounted finds the file system type at a mount point, in /proc/mounts form.
// The last line for a target is the one that is seen.
func mounted(mounts, target string) string {
	kind := ""
	for line := range strings.Lines(mounts) {
		f := strings.Fields(line)
		if len(f) > 2 && f[1] == target {
			kind = f[2]
		}
	}
	return kind
}
