package k3sedge

import (
	"context"
	"strings"

	"caisson.dev/caisson/profiles/cluster"
)

// Ready waits until this node is ready, and on a server until whatever K3s runs in
// kube-system is. It fails with NODE-NOT-READY when ctx ends first.
func (p Profile) Ready(ctx context.Context, report func(string)) error {
	l, err := p.Live()
	if err != nil {
		return err
	}
	if err := l.Ready(ctx, report); err != nil || !l.Server() {
		return err
	}
	api, err := p.Connect()
	if err != nil {
		return err
	}
	last, err := cluster.Until(ctx, report, func(ctx context.Context) (string, error) { return packaged(ctx, api), nil })
	if err == nil && last != "" {
		err = cluster.NodeNotReady.New("cannot call node %s ready: have %s, need what K3s runs on it: %w", l.Node, last, context.Cause(ctx)).
			Hint("`k3s kubectl -n kube-system get all` says more")
	}
	return err
}

// packaged is what is missing of K3s's own workloads. Its charts are laid out by
// jobs, so that more may come after the first look.
func packaged(ctx context.Context, api *cluster.API) string {
	dns := cluster.Workload{Kind: "Deployment", Namespace: "kube-system", Name: "coredns"}
	if pending := dns.Pending(ctx, api); pending != "" {
		return pending
	}
	for _, kind := range []struct{ kind, path string }{{"Job", "/apis/batch/v1"}, {"Deployment", "/apis/apps/v1"}, {"DaemonSet", "/apis/apps/v1"}} {
		var list struct {
			Items []struct {
				Metadata struct {
					Name string `json:"name"`
				} `json:"metadata"`
			} `json:"items"`
		}
		plural := strings.ToLower(kind.kind) + "s"
		if err := api.Get(ctx, kind.path+"/namespaces/kube-system/"+plural, &list); err != nil {
			return "the list of " + plural + " (" + cluster.Cause(err) + ")"
		}
		for _, o := range list.Items {
			w := cluster.Workload{Kind: kind.kind, Namespace: "kube-system", Name: o.Metadata.Name}
			if pending := w.Pending(ctx, api); pending != "" {
				return pending
			}
		}
	}
	return ""
}
