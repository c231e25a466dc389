package cluster

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
)

// Says is what the control plane says of a node, in words, and whether it calls it
// Ready. It asks once, as the owner of the kubeconfig: the kubelet's may read its
// own node, on a worker too.
func Says(ctx context.Context, root, conf, node string) (words string, ready bool) {
	a, err := Connect(root, conf)
	if errors.Is(err, fs.ErrNotExist) {
		return "none: this node is in no cluster yet", false
	}
	if err != nil {
		return FirstLine(err.Error()), false // the hint is on the page of its code
	}
	defer a.Client.CloseIdleConnections() // the next look connects anew
	var n NodeObject
	err = a.Get(ctx, "/api/v1/nodes/"+url.PathEscape(node), &n)
	var status statusError
	switch {
	case errors.As(err, &status):
		return err.Error(), false
	case err != nil:
		return "the control plane does not answer at " + a.Server + " (" + Cause(err) + ")", false
	}
	if ready, message := IsTrue(n.Status.Conditions, "Ready"); !ready {
		words = "the control plane answers and calls this node not Ready"
		if m := FirstLine(message); m != "" {
			words += " (" + m + ")"
		}
		return words, false
	}
	return "the control plane answers and calls this node Ready", true
}
