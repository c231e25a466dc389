package node_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/profiles/cluster"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/release"
)

const addons = "/apis/k3s.cattle.io/v1/namespaces/kube-system/addons/"

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}

// server is a live server of a product, and its cluster.
func server(t *testing.T, p release.Product) (*node.Live, *api) {
	t.Helper()
	root := t.TempDir()
	unit := map[release.Product]string{release.RKE2: "rke2-server", release.K3s: "k3s"}[p]
	put(t, root, "etc/systemd/system/"+unit+".service.d/10-caisson.conf", "")
	return &node.Live{Root: root, Product: p, Node: "cp-1"}, start(t, root, node.AdminConf(p))
}

// TestApplyManifests: each is laid where the product looks, under a name that it
// can use, is applied once its checksum is written down, and its workloads are
// waited for.
func TestApplyManifests(t *testing.T) {
	for _, p := range []release.Product{release.RKE2, release.K3s} {
		l, a := server(t, p)
		const first, second = "kind: Namespace\n", "kind: Pod\nmetadata: {name: x}\n"
		put(t, l.Root, "m/01-A_b.c-.yaml", first)
		put(t, l.Root, "m/02-web.yml", second)
		put(t, l.Root, "m/notes.txt", "no manifest")
		a.set(addons+"caisson-carried-01-a-b-c", `{"spec":{"checksum":"`+sum(first)+`"}}`)
		a.set(addons+"caisson-carried-02-web", `{"spec":{"checksum":"`+sum(second)+`"}}`)
		a.set("/api/v1/namespaces/default/pods/x", `{"status":{`+isReady+`}}`)
		var said []string
		for range 2 {
			if err := l.ApplyManifests(t.Context(), "m", func(s string) { said = append(said, s) }); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(said, []string{"applied 2 manifests", "applied 2 manifests"}) {
			t.Errorf("%s: said %q", p, said)
		}
		for name, want := range map[string]string{"caisson-carried-01-a-b-c.yaml": first, "caisson-carried-02-web.yml": second} {
			if have, err := os.ReadFile(filepath.Join(l.Root, node.Manifests(p), name)); err != nil || string(have) != want {
				t.Errorf("%s %s: %q, %v", p, name, have, err)
			}
		}
		if entries, err := os.ReadDir(filepath.Join(l.Root, node.Manifests(p))); err != nil || len(entries) != 2 {
			t.Errorf("%s: have %v, %v, need two files", p, entries, err)
		}
		if err := l.WaitWorkloads(t.Context(), "m", func(string) {}); err != nil {
			t.Error(err)
		}
		if err := l.ApplyManifests(t.Context(), "none", nil); err != nil {
			t.Errorf("%s, no folder: %v", p, err)
		}
	}
}

// TestManifestIsRefused: what the product says of a file is what a person reads.
func TestManifestIsRefused(t *testing.T) {
	for p, kubectl := range map[release.Product]string{release.RKE2: "/var/lib/rancher/rke2/bin/kubectl", release.K3s: "k3s kubectl"} {
		l, a := server(t, p)
		put(t, l.Root, "m/01-a.yaml", "kind: X\n")
		a.set(addons+"caisson-carried-01-a", `{"spec":{"checksum":"old"}}`)
		a.set("/api/v1/namespaces/kube-system/events?fieldSelector=involvedObject.kind%3DAddon%2CinvolvedObject.name%3Dcaisson-carried-01-a%2Ctype%3DWarning",
			`{"items":[{"reason":"ApplyManifestFailed","message":"no matches for kind X"}]}`)
		ctx, cancel := context.WithCancel(t.Context())
		err := l.ApplyManifests(ctx, "m", func(string) { cancel() })
		if !cluster.ManifestRefused.Is(err) || !strings.Contains(err.Error(), "ApplyManifestFailed: no matches for kind X") || !strings.Contains(err.Error(), kubectl+" ") {
			t.Errorf("%s: have %v, need MANIFEST-REFUSED with the product's own words", p, err)
		}
		cancel()
	}
}

// TestCarryNetwork: where the site brings the pod network, its manifests are with the
// product before the node is Ready; else they wait, for what is in them may need one.
func TestCarryNetwork(t *testing.T) {
	for _, c := range []struct {
		product release.Product
		config  string
		early   bool
	}{
		{release.RKE2, "cni: [none]\n", true},
		{release.RKE2, "cni:\n- canal\n", false},
		{release.K3s, "flannel-backend: none\n", true},
		{release.K3s, "node-name: x\n", false},
	} {
		l, _ := server(t, c.product)
		put(t, l.Root, node.Etc(c.product)+"/config.yaml", c.config)
		put(t, l.Root, "m/01-cni.yaml", "kind: DaemonSet\n")
		if err := l.CarryNetwork("m"); err != nil {
			t.Fatal(err)
		}
		have, err := os.ReadFile(filepath.Join(l.Root, node.Manifests(c.product), "caisson-carried-01-cni.yaml"))
		if c.early != (err == nil && string(have) == "kind: DaemonSet\n") {
			t.Errorf("%s with %q: have %q, %v, need it there: %v", c.product, c.config, have, err, c.early)
		}
		if info, err := os.Stat(filepath.Join(l.Root, node.Manifests(c.product))); c.early && (err != nil || info.Mode().Perm() != 0o700) {
			t.Errorf("%s: have %v, %v, need the folder to be root's alone", c.product, info, err)
		}
		if err := l.CarryNetwork("none"); err != nil {
			t.Errorf("%s, no folder: %v", c.product, err)
		}
	}
	root := t.TempDir()
	put(t, root, "etc/rancher/k3s/config.yaml", "flannel-backend: none\n")
	put(t, root, "m/01-cni.yaml", "kind: DaemonSet\n")
	if err := (&node.Live{Root: root, Product: release.K3s}).CarryNetwork("m"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(root, node.Manifests(release.K3s))); err == nil {
		t.Error("an agent has manifests")
	}
}
