package k3sedge

import (
	"embed"
	"slices"
	"strings"

	"github.com/coreos/ignition/v2/config/util"
	ignition "github.com/coreos/ignition/v2/config/v3_5/types"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
)

// tree holds the node's files: all/ for every node, control-plane/ and worker/
// for the role, each below its real path.
//
//go:embed all:tree
var tree embed.FS

// values is all that the templates insert.
type values struct {
	Traefik bool
	// Namespaces are those that are there before anybody makes one.
	Namespaces []string
}

// Render is the node's configuration. It is refused with RENDER-INCOMPLETE if
// the Answers lack a value or hold one that cannot be used, and with JOIN-... if
// the node is an agent that could not join.
func (Profile) Render(in profiles.RenderInput) (ignition.Config, error) {
	none := ignition.Config{}
	choice, err := choose(in.Enclave)
	if err != nil {
		return none, err
	}
	n, err := nodeOf(in, choice.Version)
	if err != nil {
		return none, err
	}
	files, err := n.Files()
	if err != nil {
		return none, err
	}
	val := values{Traefik: traefik(in.Enclave), Namespaces: []string{"default", "kube-public", "kube-system"}}
	for _, part := range []string{"all", in.Answers.Role} {
		own, err := host.Tree(tree, "tree/"+part, val, mode)
		if err != nil {
			return none, err
		}
		files = append(files, own...)
	}
	b, err := configOf(n, in)
	if err != nil {
		return none, err
	}
	main, err := n.ConfigFile(b)
	if err != nil {
		return none, err
	}
	users, rules := host.Users(in)
	units := append(n.Units(), "caisson-room.service", "caisson-room.timer")
	folders := n.Folders()
	if n.Server() {
		// Without its folder the API server writes no audit log, and K3s makes it for
		// all to read (k3s-docs: security/hardening-guide).
		for _, d := range []string{"", "/logs", "/manifests"} {
			folders = append(folders, images.ServiceFile{Path: dataDir + "/server" + d, Mode: 0o700})
		}
	}
	c := host.Config(users, folders, slices.Concat(files, rules, []images.ServiceFile{main}), units)
	// As K3s's installer lays them (k3s install.sh, create_symlinks).
	for _, name := range []string{"kubectl", "crictl", "ctr"} {
		c.Storage.Links = append(c.Storage.Links, link("/usr/local/bin/"+name, "k3s"))
	}
	return c, nil
}

// mode: what the benchmark, and K3s's installer for its environment file, want
// to be readable by root alone.
func mode(path string) uint32 {
	if strings.HasPrefix(path, dataDir+"/") || strings.HasPrefix(path, "/etc/systemd/system/k3s") {
		return 0o600
	}
	return 0o644
}

// link is a link of root's.
func link(path, to string) ignition.Link {
	root := util.IntToPtr(0)
	return ignition.Link{
		Node:          ignition.Node{Path: path, Overwrite: util.BoolToPtr(true), User: ignition.NodeUser{ID: root}, Group: ignition.NodeGroup{ID: root}},
		LinkEmbedded1: ignition.LinkEmbedded1{Target: util.StrToPtr(to)},
	}
}
