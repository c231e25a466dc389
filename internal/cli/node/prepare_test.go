package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/profiles/rancher/node"
)

// TestPrepare: a profile that looks at the node first is asked to, with what the
// installer left; for one that does not there is nothing to say.
func TestPrepare(t *testing.T) {
	b := newBench(t)
	installedTree(t, b.scratch)
	r, _ := soon(t, b)
	if err := (prepareCmd{}).Run(r); err != nil {
		t.Errorf("kubeadm: %v", err)
	}
	for path, text := range map[string]string{
		"caisson.yaml": "apiVersion: caisson.dev/v1alpha1\nkind: Enclave\nmetadata: {name: site}\n" +
			"kubernetes: {profile: rke2-cis, version: v1.36.3+rke2r1}\nregistry: {engine: distribution, version: v3.1.2}\n",
		"answers.json": `{"name": "cp-1", "role": "control-plane", "network": {"address": "10.20.0.11/24"}}`,
	} {
		if err := os.WriteFile(filepath.Join(b.scratch, "var/lib/caisson", path), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	err := (prepareCmd{}).Run(r)
	if !node.NotPrepared.Is(err) || !strings.Contains(err.Error(), "rke2-images-core.linux-amd64.tar.zst") || !strings.Contains(err.Error(), "no etcd in /etc/passwd") {
		t.Errorf("have %v, need NODE-NOT-PREPARED with every reason", err)
	}
}
