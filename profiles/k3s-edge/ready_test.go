package k3sedge

import (
	"context"
	"crypto/tls"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/profiles/cluster"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/release"
)

// clientsMayShow asks for a client's certificate and takes whatever comes.
func clientsMayShow() *tls.Config { return &tls.Config{ClientAuth: tls.RequestClientCert} }

// TestReady: after the node itself, what K3s runs on it, its charts' jobs too.
func TestReady(t *testing.T) {
	root := lay(t, input(t, site(newest, ""), box))
	a := serve(t, root, node.AdminConf(release.K3s))
	ready(t, a)
	if err := (Profile{root: root}).Ready(t.Context(), func(s string) { t.Errorf("waits: %s", s) }); err != nil {
		t.Fatal(err)
	}
	a.set("/apis/batch/v1"+system+"jobs", `{"items":[{"metadata":{"name":"helm-install-traefik"}}]}`)
	a.set("/apis/batch/v1"+system+"jobs/helm-install-traefik", `{"status":{"succeeded":0}}`)
	ctx, cancel := context.WithCancel(t.Context())
	err := Profile{root: root}.Ready(ctx, func(string) { cancel() })
	if !cluster.NodeNotReady.Is(err) || !strings.Contains(err.Error(), "job kube-system/helm-install-traefik") {
		t.Errorf("have %v, need NODE-NOT-READY with the job", err)
	}
}

// TestReadyOfAnAgent: it looks with its kubelet's own credentials.
func TestReadyOfAnAgent(t *testing.T) {
	root := lay(t, input(t, site(newest, ""), agent))
	a := serve(t, root, agentDir+"/kubelet.kubeconfig")
	a.set("/api/v1/nodes/"+nodeName(t), `{"status":{"conditions":[{"type":"Ready","status":"True"}]}}`)
	if err := (Profile{root: root}).Ready(t.Context(), func(s string) { t.Errorf("waits: %s", s) }); err != nil {
		t.Fatal(err)
	}
}

const addons = "/apis/k3s.cattle.io/v1" + system + "addons/"

// TestApplyManifests: each is laid where K3s looks, under a name that it can use,
// and is applied once K3s has written its checksum down.
func TestApplyManifests(t *testing.T) {
	root := lay(t, input(t, site(newest, ""), box))
	a := serve(t, root, node.AdminConf(release.K3s))
	const first, second = "kind: Namespace\n", "kind: Pod\nmetadata: {name: p}\n"
	put(t, root, "/m/01-a_b.c-.yaml", first, 0o644)
	put(t, root, "/m/02-web.yml", second, 0o644)
	put(t, root, "/m/notes.txt", "no", 0o644)
	a.set(addons+"caisson-carried-01-a-b-c", `{"spec":{"checksum":"`+sum(first)+`"}}`)
	a.set(addons+"caisson-carried-02-web", `{"spec":{"checksum":"`+sum(second)+`"}}`)
	var said []string
	if err := (Profile{root: root}).ApplyManifests(t.Context(), "/m", func(s string) { said = append(said, s) }); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(said, []string{"applied 2 manifests"}) {
		t.Errorf("said %q", said)
	}
	for name, want := range map[string]string{"caisson-carried-01-a-b-c.yaml": first, "caisson-carried-02-web.yml": second} {
		if have, err := os.ReadFile(filepath.Join(root, manifestsDir, name)); err != nil || string(have) != want {
			t.Errorf("%s: %q, %v", name, have, err)
		}
	}
	if err := (Profile{root: root}).ApplyManifests(t.Context(), "/none", nil); err != nil {
		t.Errorf("no folder: %v", err)
	}
}

// TestManifestIsRefused: what K3s says of a file is what a person reads.
func TestManifestIsRefused(t *testing.T) {
	root := lay(t, input(t, site(newest, ""), box))
	a := serve(t, root, node.AdminConf(release.K3s))
	put(t, root, "/m/01-a.yaml", "kind: X\n", 0o644)
	a.set(addons+"caisson-carried-01-a", `{"spec":{"checksum":"old"}}`)
	a.set("/api/v1"+system+"events?fieldSelector=involvedObject.kind%3DAddon%2CinvolvedObject.name%3Dcaisson-carried-01-a%2Ctype%3DWarning",
		`{"items":[{"reason":"ApplyManifestFailed","message":"no matches for kind X"}]}`)
	ctx, cancel := context.WithCancel(t.Context())
	err := Profile{root: root}.ApplyManifests(ctx, "/m", func(string) { cancel() })
	if !cluster.ManifestRefused.Is(err) || !strings.Contains(err.Error(), "ApplyManifestFailed: no matches for kind X") {
		t.Errorf("have %v, need MANIFEST-REFUSED with K3s's own words", err)
	}
	agentRoot := lay(t, input(t, site(newest, ""), agent))
	put(t, agentRoot, "/m/01-a.yaml", "kind: X\n", 0o644)
	if err := (Profile{root: agentRoot}).ApplyManifests(t.Context(), "/m", nil); err != nil {
		t.Errorf("an agent applies: %v", err)
	}
}
