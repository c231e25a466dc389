package node

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"caisson.dev/caisson/profiles/cluster"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/release"
)

// Live is an installed node of a product.
type Live struct {
	Root    string // "/" on a node, a tree in tests
	Product release.Product
	Node    string
	// Parts are the static pods that a server must run, by their component label.
	Parts []string
	api   *cluster.API
}

// Server tells whether this is a server: the drop-in is there for the one unit
// that the node was rendered with.
func (l *Live) Server() bool {
	unit := Node{Version: release.Version{Product: l.Product}}.Unit() // the first server's
	_, err := os.Stat(filepath.Join(l.Root, "etc/systemd/system", unit+".d", "10-caisson.conf"))
	return err == nil
}

// AdminConf is the administrator's kubeconfig.
func AdminConf(p release.Product) string { return Etc(p) + "/" + string(p) + ".yaml" }

// conf is the kubeconfig that a node looks at its cluster with: an agent's
// kubelet may read its own node.
func (l *Live) conf() string {
	if l.Server() {
		return AdminConf(l.Product)
	}
	return kubeletConf(l.Product)
}

func kubeletConf(p release.Product) string { return Data(p) + "/agent/kubelet.kubeconfig" }

// Ready waits until the API server is ready, the node is, and on a server its
// static pods, each pod of the system on it and the cluster's DNS are. The unit
// itself says less: it is started before the node is Ready (k3s
// pkg/cli/server/server.go).
func (l *Live) Ready(ctx context.Context, report func(string)) error {
	last, err := cluster.Until(ctx, report, l.pending)
	if err == nil && last != "" {
		return cluster.NodeNotReady.New("cannot call node %s ready: have %s, need the node and its pods running: %w", l.Node, last, context.Cause(ctx)).
			Hint("`journalctl -u %s -b` and %s say more", l.unit(), Data(l.Product)+"/agent/containerd/containerd.log")
	}
	return err
}

// Membership asks with the kubelet's kubeconfig, which a server has as well: its
// agent's.
func (l *Live) Membership(ctx context.Context) (string, bool) {
	return cluster.Says(ctx, l.Root, kubeletConf(l.Product), l.Node)
}

func (l *Live) unit() string {
	if l.Server() {
		return Node{Version: release.Version{Product: l.Product}}.Unit()
	}
	return Node{Version: release.Version{Product: l.Product}, Role: config.Agent}.Unit()
}

// pending is what is still missing, "" if nothing is.
func (l *Live) pending(ctx context.Context) (string, error) {
	if l.api == nil {
		a, err := cluster.Connect(l.Root, l.conf())
		if err != nil {
			// Written piece by piece while it starts.
			return l.unit() + " to write " + l.conf(), nil
		}
		l.api = a
	}
	if l.Server() {
		if err := l.api.Get(ctx, "/readyz", nil); err != nil {
			return "the API server (" + cluster.Cause(err) + ")", nil
		}
	}
	var n cluster.NodeObject
	if err := l.api.Get(ctx, "/api/v1/nodes/"+url.PathEscape(l.Node), &n); err != nil {
		return "node " + l.Node + " (" + cluster.Cause(err) + ")", nil
	}
	if ready, message := cluster.IsTrue(n.Status.Conditions, "Ready"); !ready {
		return strings.TrimSpace("node " + l.Node + " to be Ready: " + cluster.FirstLine(message)), nil
	}
	if !l.Server() {
		return "", nil
	}
	return l.pods(ctx)
}

func (l *Live) pods(ctx context.Context) (string, error) {
	const system = "/api/v1/namespaces/kube-system/pods"
	var own, dns cluster.PodList
	if err := l.api.Get(ctx, system+"?fieldSelector="+url.QueryEscape("spec.nodeName="+l.Node), &own); err != nil {
		return "the list of pods (" + cluster.Cause(err) + ")", nil
	}
	missing := slices.Clone(l.Parts)
	for _, p := range own.Items {
		if why := p.Why(); why != "" {
			return fmt.Sprintf("pod %s (%s)", p.Metadata.Name, why), nil
		}
		missing = slices.DeleteFunc(missing, func(m string) bool { return m == p.Metadata.Labels["component"] })
	}
	if len(missing) > 0 {
		return "pod " + missing[0] + " (not there yet)", nil
	}
	if err := l.api.Get(ctx, system+"?labelSelector="+url.QueryEscape("k8s-app=kube-dns"), &dns); err != nil {
		return "the list of pods (" + cluster.Cause(err) + ")", nil
	}
	if !slices.ContainsFunc(dns.Items, func(p cluster.PodObject) bool { return p.Why() == "" }) {
		return "the cluster's DNS", nil
	}
	return "", nil
}

// WaitWorkloads waits until what they run is ready.
func (l *Live) WaitWorkloads(ctx context.Context, dir string, report func(string)) error {
	if !l.Server() {
		return nil
	}
	return cluster.WaitWorkloads(ctx, l.Root, AdminConf(l.Product), dir, report)
}
