package host

import (
	"bytes"
	"embed"
	"io/fs"
	"strings"
	"text/template"

	"caisson.dev/caisson/images"
)

// own is the files of every node, each below its real path.
//
//go:embed all:tree
var own embed.FS

//go:embed pod-resolv.conf.tmpl
var podResolv []byte

// AuditPolicy is what the API server writes down, whoever starts it.
//
//go:embed audit-policy.yaml
var AuditPolicy []byte

// Tree is the files below root in a folder that looks like the node, *.tmpl
// filled in with the values; mode tells the mode of each.
func Tree(fsys fs.FS, root string, values any, mode func(path string) uint32) ([]images.ServiceFile, error) {
	var out []images.ServiceFile
	err := fs.WalkDir(fsys, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		name, isTemplate := strings.CutSuffix(strings.TrimPrefix(p, root), ".tmpl")
		if isTemplate {
			if data, err = fill(p, data, values); err != nil {
				return err
			}
		}
		out = append(out, images.ServiceFile{Path: name, Mode: mode(name), Data: data})
		return nil
	})
	return out, err
}

func fill(name string, text []byte, values any) ([]byte, error) {
	t, err := template.New(name).Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, values); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
