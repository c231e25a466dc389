package kubeadm

import (
	"bytes"
	"embed"
	"encoding/base64"
	"io/fs"
	"strings"
	"text/template"

	"github.com/coreos/ignition/v2/config/util"
	ignition "github.com/coreos/ignition/v2/config/v3_5/types"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/spec"
)

// tree holds the node's files: all/ for every node, control-plane/ and worker/
// for the role, each below its real path.
//
//go:embed all:tree
var tree embed.FS

// treeFiles is the files of a role, templates filled in.
func treeFiles(role string, val values) ([]images.ServiceFile, error) {
	part := "control-plane"
	if role == spec.Worker {
		part = "worker"
	}
	var out []images.ServiceFile
	for _, root := range []string{"tree/all", "tree/" + part} {
		err := fs.WalkDir(tree, root, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := tree.ReadFile(p)
			if err != nil {
				return err
			}
			name, isTemplate := strings.CutSuffix(strings.TrimPrefix(p, root), ".tmpl")
			if isTemplate {
				if data, err = fill(p, data, val); err != nil {
					return err
				}
			}
			out = append(out, images.ServiceFile{Path: name, Mode: modeOf(name), Data: data})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func fill(name string, text []byte, val values) ([]byte, error) {
	t, err := template.New(name).Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, val); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// private are the places whose files the CIS benchmark wants readable by root
// alone: Kubernetes' own (1.1, 4.1), CNI's (1.1.9), the kubelet's unit (4.1.1).
var private = []string{"/etc/kubernetes/", "/etc/cni/net.d/", "/etc/systemd/system/kubelet.service"}

func modeOf(path string) uint32 {
	for _, p := range private {
		if strings.HasPrefix(path, p) {
			return 0o600
		}
	}
	return 0o644
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
