package kubeadm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"caisson.dev/caisson/profiles/cluster"
)

// The two kubeconfigs a node can have: a control plane's administrator, and the
// kubelet itself, which may read its own node.
const (
	adminConf   = "/etc/kubernetes/admin.conf"
	kubeletConf = "/etc/kubernetes/kubelet.conf"
)

// initUnit sets the node up, once; see tree/control-plane.
const initUnit = "caisson-kubeadm-init.service"

// controlPlane are the static pods of a control plane, by their component label.
var controlPlane = []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"}

// Ready waits until the API server is ready, this node is Ready, and on a
// control plane every static pod, kube-proxy and CoreDNS are. It reports what
// it waits for each time that changes. Faults: NODE-INIT-FAILED when kubeadm
// gave up, NODE-NOT-READY when ctx ends first.
func (p Profile) Ready(ctx context.Context, report func(string)) error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	w := &readiness{root: p.root, node: name, initFailed: initFailed}
	if last, err := cluster.Until(ctx, report, w.pending); err != nil {
		return err
	} else if last != "" {
		return cluster.NodeNotReady.New("cannot call node %s ready: have %s, need the node and its control plane running: %w", name, last, context.Cause(ctx)).
			Hint("`journalctl -u kubelet -u containerd -u caisson-registry -b` says more")
	}
	return nil
}

// Membership asks with the kubelet's kubeconfig, which every node in a cluster has.
func (p Profile) Membership(ctx context.Context) (string, bool) {
	name, err := os.Hostname()
	if err != nil {
		return err.Error(), false
	}
	return cluster.Says(ctx, p.root, kubeletConf, name)
}

// readiness is one node, looked at again and again.
type readiness struct {
	root, node string
	initFailed func(context.Context) bool
	api        *cluster.API
	conf       string
}

// pending is what is still missing, "" if nothing is.
func (r *readiness) pending(ctx context.Context) (string, error) {
	if r.api == nil {
		if waiting, err := r.open(ctx); waiting != "" || err != nil {
			return waiting, err
		}
	}
	if err := r.api.Get(ctx, "/readyz", nil); err != nil {
		if r.initFailed(ctx) {
			return "", r.failed()
		}
		return "the API server (" + cluster.Cause(err) + ")", nil
	}
	var n cluster.NodeObject
	if err := r.api.Get(ctx, "/api/v1/nodes/"+url.PathEscape(r.node), &n); err != nil {
		return "node " + r.node + " (" + cluster.Cause(err) + ")", nil
	}
	if ready, message := cluster.IsTrue(n.Status.Conditions, "Ready"); !ready {
		return strings.TrimSpace("node " + r.node + " to be Ready: " + cluster.FirstLine(message)), nil
	}
	if r.conf != adminConf {
		return "", nil
	}
	// The API server serves before kubeadm has finished with it.
	if r.initFailed(ctx) {
		return "", r.failed()
	}
	if _, err := os.Stat(filepath.Join(r.root, initDone)); err != nil {
		return "kubeadm to finish", nil
	}
	return r.pods(ctx)
}

// initDone is what initUnit leaves when kubeadm has finished.
const initDone = "/var/lib/caisson/kubeadm.done"

// open takes the administrator's kubeconfig, else the kubelet's.
func (r *readiness) open(ctx context.Context) (string, error) {
	for _, conf := range []string{adminConf, kubeletConf} {
		a, err := cluster.Connect(r.root, conf)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil && !r.initFailed(ctx) {
			// kubeadm may be writing the file at this moment.
			return "kubeadm to write " + conf, nil
		}
		if err != nil {
			return "", err
		}
		r.api, r.conf = a, conf
		return "", nil
	}
	if r.initFailed(ctx) {
		return "", r.failed()
	}
	return "kubeadm to set up the node", nil
}

func (r *readiness) failed() error {
	return NodeInitFailed.New("cannot bring node %s up: have a failed %s, need kubeadm to finish", r.node, initUnit).
		Hint("`journalctl -u %s` says why", initUnit).
		Hint("the next boot removes what the set-up left and starts it again")
}

// pods is what is missing of the control plane's pods on this node.
func (r *readiness) pods(ctx context.Context) (string, error) {
	var list cluster.PodList
	path := "/api/v1/namespaces/kube-system/pods?fieldSelector=" + url.QueryEscape("spec.nodeName="+r.node)
	if err := r.api.Get(ctx, path, &list); err != nil {
		return "the list of pods (" + cluster.Cause(err) + ")", nil
	}
	missing := append(slices.Clone(controlPlane), "kube-proxy")
	for _, p := range list.Items {
		name := cmp.Or(p.Metadata.Labels["component"], p.Metadata.Labels["k8s-app"])
		if why := p.Why(); why != "" && slices.Contains(missing, name) {
			return fmt.Sprintf("pod %s (%s)", p.Metadata.Name, why), nil
		}
		missing = slices.DeleteFunc(missing, func(m string) bool { return m == name })
	}
	if len(missing) > 0 {
		return "pod " + missing[0] + " (not there yet)", nil
	}
	dns := cluster.Workload{Kind: "Deployment", Namespace: "kube-system", Name: "coredns"}
	return dns.Pending(ctx, r.api), nil
}

// initFailed asks systemd; on a machine without it, or a node that has no such
// unit, nothing failed.
func initFailed(ctx context.Context) bool {
	return exec.CommandContext(ctx, "systemctl", "is-failed", "--quiet", initUnit).Run() == nil
}
