package k3sedge

import (
	"errors"
	"strings"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

// choose is the release that the Spec names, and all in the Spec that would fail
// on site. What a node of the roster lacks is found when it is rendered.
func choose(e spec.Enclave) (release.Choice, error) {
	c, err := release.Of(e, spec.Arch)
	if err != nil {
		return c, err
	}
	return c, errors.Join(node.CheckOS(e.OS), node.CheckExtra(e, c.Version), oneServer(e))
}

func oneServer(e spec.Enclave) error {
	var servers []string
	for _, n := range e.Nodes {
		if n.Role == spec.ControlPlane {
			servers = append(servers, n.Name)
		}
	}
	if len(servers) < 2 {
		return nil
	}
	return OneServer.New("cannot set up the roster's nodes: have the control-planes %s, need one: the profile %s has one server", strings.Join(servers, ", "), spec.ProfileK3s).
		Hint("make the others workers, or give each an enclave of its own; rke2-cis has several servers")
}

// nodeOf is the node that the input describes. A second server is refused when it
// is made, too: whoever answers may say what the roster does not.
func nodeOf(in profiles.RenderInput, v release.Version) (node.Node, error) {
	n, err := node.Of(in, v)
	if err == nil && n.Server() && n.JoinURL() != "" {
		err = OneServer.New("cannot set up %s: have a control-plane that joins %s, need a worker: the profile %s has one server", n.Name, n.JoinURL(), spec.ProfileK3s)
	}
	return n, err
}
