package manifests

import (
	"strings"

	"sigs.k8s.io/yaml"
)

// Object is one Kubernetes object of a manifest; those of a List are each one.
type Object struct {
	File       string // as in the Spec
	APIVersion string
	Kind       string
	Namespace  string // "" if the manifest has none
	Name       string
}

// Objects lists the objects in the files, in order. What cannot be read is passed
// over: Uses says so.
func Objects(files []File) []Object {
	var out []Object
	for _, f := range files {
		if len(f.Data) > MaxSize {
			continue
		}
		for _, doc := range documents(f.Data) {
			var top map[string]any
			if yaml.UnmarshalStrict(doc, &top) == nil {
				out = append(out, objects(f.Name, top)...)
			}
		}
	}
	return out
}

func objects(file string, m map[string]any) []Object {
	kind := text(m["kind"])
	if items, ok := m["items"].([]any); ok && strings.HasSuffix(kind, "List") {
		var out []Object
		for _, item := range items {
			if m, ok := item.(map[string]any); ok {
				out = append(out, objects(file, m)...)
			}
		}
		return out
	}
	if kind == "" {
		return nil // only comments
	}
	meta, _ := m["metadata"].(map[string]any)
	return []Object{{File: file, APIVersion: text(m["apiVersion"]), Kind: kind, Namespace: text(meta["namespace"]), Name: text(meta["name"])}}
}
