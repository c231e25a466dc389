package node

import (
	"embed"
	"slices"
	"strings"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/registries"
)

// tree is the files of nodes of both products, below their real paths.
//
//go:embed all:tree
var tree embed.FS

// Files are the files of the node but config.yaml: its host's, the registry's,
// and what both products read or what stands beside their unit.
func (n Node) Files() ([]images.ServiceFile, error) {
	files, err := n.hostFiles()
	if err != nil {
		return nil, err
	}
	registry, err := n.registries()
	if err != nil {
		return nil, err
	}
	return slices.Concat(files, n.in.Registry.Files, []images.ServiceFile{
		{Path: registries.Path(n.Product()), Mode: registries.Mode, Data: registry},
	}), nil
}

// hostFiles are those that no registry is in.
func (n Node) hostFiles() ([]images.ServiceFile, error) {
	files, err := n.Node.Files(n.in.Answers.Network)
	if err != nil {
		return nil, err
	}
	own, err := host.Tree(tree, "tree/all", n, func(string) uint32 { return 0o644 })
	if err != nil {
		return nil, err
	}
	for i, f := range own {
		own[i].Path = strings.Replace(f.Path, "vendor.service.d", n.Unit()+".d", 1)
	}
	resolv, err := n.PodResolv()
	if err != nil {
		return nil, err
	}
	return slices.Concat(files, own, []images.ServiceFile{{Path: n.Etc() + "/resolv.conf", Mode: 0o644, Data: resolv}}), nil
}

// registries is registries.yaml, proven to keep every pull on the node.
func (n Node) registries() ([]byte, error) {
	var refs []string
	for _, i := range n.in.Manifest.Images {
		refs = append(refs, i.Ref)
	}
	c, err := registries.Of(n.in.Registry.Mirror(), refs)
	if err != nil {
		return nil, err
	}
	data, err := c.YAML()
	if err != nil {
		return nil, err
	}
	return data, c.Prove(n.Product(), data, true)
}

// ConfigFile is config.yaml with what the Spec adds, as a file of the node.
func (n Node) ConfigFile(b *config.Builder) (images.ServiceFile, error) {
	data, err := b.Extra(Extra(n.in.Enclave)).File()
	return images.ServiceFile{Path: n.Product().Path(), Mode: config.Mode, Data: data}, err
}

// Folders are made by the installer, with their modes. Those on the state
// partition come from tmpfiles.d.
func (n Node) Folders() []images.ServiceFile {
	return []images.ServiceFile{
		{Path: "/etc/rancher", Mode: 0o755},
		{Path: n.Etc(), Mode: 0o700},
		{Path: "/etc/rancher/node", Mode: 0o700},
	}
}

// Units are enabled on the node.
func (n Node) Units() []string {
	out := append(n.Node.Units(n.in.Registry), n.Unit(), "caisson-ready.service", "caisson-renew.timer")
	if len(n.NTP) > 0 {
		out = append(out, "systemd-time-wait-sync.service")
	}
	return out
}
