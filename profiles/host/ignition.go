package host

import (
	"cmp"
	"encoding/base64"
	"slices"

	"github.com/coreos/ignition/v2/config/util"
	ignition "github.com/coreos/ignition/v2/config/v3_5/types"

	"caisson.dev/caisson/images"
)

// Config is the Ignition config of a node: files and folders, all of root, and
// the units to enable. The units' files are among the files, and not in the
// config's own unit list, because the CIS benchmark wants some to be readable by
// root alone and Ignition writes units with mode 0644.
func Config(users []ignition.PasswdUser, folders, files []images.ServiceFile, units []string) ignition.Config {
	var c ignition.Config
	c.Ignition.Version = ignition.MaxVersion.String()
	c.Passwd.Users = users
	for _, d := range folders {
		c.Storage.Directories = append(c.Storage.Directories, directory(d.Path, d.Mode))
	}
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b images.ServiceFile) int { return cmp.Compare(a.Path, b.Path) })
	for _, f := range files {
		c.Storage.Files = append(c.Storage.Files, file(f))
	}
	for _, u := range slices.Compact(slices.Sorted(slices.Values(units))) {
		c.Systemd.Units = append(c.Systemd.Units, ignition.Unit{Name: u, Enabled: util.BoolToPtr(true)})
	}
	return c
}

// file is one file of the config, owned by root. What the image has at that
// path, be it a link, gives way.
func file(f images.ServiceFile) ignition.File {
	return ignition.File{
		Node: node(f.Path),
		FileEmbedded1: ignition.FileEmbedded1{
			Mode:     util.IntToPtr(int(f.Mode)),
			Contents: ignition.Resource{Source: util.StrToPtr("data:;base64," + base64.StdEncoding.EncodeToString(f.Data))},
		},
	}
}

func directory(path string, mode uint32) ignition.Directory {
	n := node(path)
	n.Overwrite = nil // a folder that is there keeps its content
	return ignition.Directory{Node: n, DirectoryEmbedded1: ignition.DirectoryEmbedded1{Mode: util.IntToPtr(int(mode))}}
}

func node(path string) ignition.Node {
	return ignition.Node{
		Path:      path,
		Overwrite: util.BoolToPtr(true),
		User:      ignition.NodeUser{ID: util.IntToPtr(0)},
		Group:     ignition.NodeGroup{ID: util.IntToPtr(0)},
	}
}
