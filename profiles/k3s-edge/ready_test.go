package k3sedge

import (
	"context"
	"crypto/tls"
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
	if err := under(root).Ready(t.Context(), func(s string) { t.Errorf("waits: %s", s) }); err != nil {
		t.Fatal(err)
	}
	a.set("/apis/batch/v1"+system+"jobs", `{"items":[{"metadata":{"name":"helm-install-traefik"}}]}`)
	a.set("/apis/batch/v1"+system+"jobs/helm-install-traefik", `{"status":{"succeeded":0}}`)
	ctx, cancel := context.WithCancel(t.Context())
	err := under(root).Ready(ctx, func(string) { cancel() })
	if !cluster.NodeNotReady.Is(err) || !strings.Contains(err.Error(), "job kube-system/helm-install-traefik") {
		t.Errorf("have %v, need NODE-NOT-READY with the job", err)
	}
}

// TestReadyOfAnAgent: it looks with its kubelet's own credentials.
func TestReadyOfAnAgent(t *testing.T) {
	root := lay(t, input(t, site(newest, ""), agent))
	a := serve(t, root, agentDir+"/kubelet.kubeconfig")
	a.set("/api/v1/nodes/"+nodeName(t), `{"status":{"conditions":[{"type":"Ready","status":"True"}]}}`)
	if err := under(root).Ready(t.Context(), func(s string) { t.Errorf("waits: %s", s) }); err != nil {
		t.Fatal(err)
	}
}
