// Package manifests looks into the Kubernetes YAML files that a Spec carries: it
// lists every container image they name and refuses one that will not be on the
// node, where an image that was forgotten is a pod that never starts.
//
// It knows no API types: any object that holds a list named containers,
// initContainers or ephemeralContainers is understood, whatever its kind, and
// so are image volumes. An image that a custom resource names in a field of its
// own is not seen; its author must list it. It stands beside package spec, on
// the low side, and imports leaves and spec only.
package manifests

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// MaxSize is the most that one manifest file may hold, in bytes: etcd takes
// objects of up to 1.5 MiB, and a file may hold several.
const MaxSize = 16 << 20

// Use is one place where a manifest names an image.
type Use struct {
	File   string // as in the Spec
	Object string // "Deployment demo/httpbin"
	Field  string // "spec.template.spec.containers[0] (httpbin)"
	Image  string // as written
}

// Images lists every use of an image in a file of YAML documents, in order.
func Images(file string, raw []byte) ([]Use, error) {
	if len(raw) > MaxSize {
		return nil, Unreadable.New("cannot read manifest %s: have more than %d MiB, need less", file, MaxSize>>20)
	}
	var out []Use
	for i, doc := range documents(raw) {
		var object any
		if err := yaml.UnmarshalStrict(doc, &object); err != nil {
			return nil, Unreadable.New("cannot read manifest %s: have a document (number %d) that is not YAML: %w, need Kubernetes objects", file, i+1, oneLine(err))
		}
		if object == nil {
			continue // only comments
		}
		top, ok := object.(map[string]any)
		if !ok || text(top["apiVersion"]) == "" || text(top["kind"]) == "" {
			return nil, Unreadable.New("cannot read manifest %s: have a document (number %d) without apiVersion and kind, need Kubernetes objects", file, i+1).
				Hint("values files, kustomizations and templates must be rendered first")
		}
		w := walker{file: file}
		w.object(top, "")
		if w.err != nil {
			return nil, w.err
		}
		out = append(out, w.uses...)
	}
	return out, nil
}

// documents splits a YAML stream as kubectl does: at lines that begin with ---.
func documents(raw []byte) [][]byte {
	var out [][]byte
	var doc []byte
	for line := range bytes.Lines(raw) {
		if bytes.HasPrefix(line, []byte("---")) {
			out, doc = append(out, doc), nil
			line = line[3:]
		}
		doc = append(doc, line...)
	}
	return append(out, doc)
}

func oneLine(err error) error {
	return fmt.Errorf("%s", strings.Join(strings.Fields(err.Error()), " "))
}

// walker gathers the uses in one document.
type walker struct {
	file  string
	owner string
	uses  []Use
	err   error
}

// builtin are the kinds whose containers must name an image; in a custom
// resource a container may be a patch of one that stands elsewhere.
var builtin = []string{"Pod", "PodTemplate", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicationController"}

func (w *walker) object(m map[string]any, path string) {
	if kind := text(m["kind"]); kind != "" && text(m["apiVersion"]) != "" {
		w.owner = kind + " " + nameOf(m)
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		here := join(path, key)
		list, isList := m[key].([]any)
		switch {
		case isList && (key == "containers" || key == "initContainers" || key == "ephemeralContainers"):
			w.containers(list, here)
		case isList && key == "volumes":
			w.volumes(list, here)
		}
		w.any(m[key], here)
	}
}

func (w *walker) any(v any, path string) {
	switch v := v.(type) {
	case map[string]any:
		outer := w.owner
		w.object(v, path)
		w.owner = outer
	case []any:
		for i, entry := range v {
			w.any(entry, fmt.Sprintf("%s[%d]", path, i))
		}
	}
}

func (w *walker) containers(list []any, path string) {
	for i, entry := range list {
		c, ok := entry.(map[string]any)
		if !ok {
			continue
		}
		here := fmt.Sprintf("%s[%d]", path, i)
		if name := text(c["name"]); name != "" {
			here += " (" + name + ")"
		}
		image := text(c["image"])
		kind, _, _ := strings.Cut(w.owner, " ")
		if image == "" {
			if slices.Contains(builtin, kind) && w.err == nil {
				w.err = Unreadable.New("cannot use manifest %s: have no image in %s of %s, need one", w.file, here, w.owner)
			}
			continue
		}
		w.use(here, image)
	}
}

// volumes finds image volumes (Kubernetes, "Use an Image Volume With a Pod").
func (w *walker) volumes(list []any, path string) {
	for i, entry := range list {
		v, _ := entry.(map[string]any)
		image, _ := v["image"].(map[string]any)
		if ref := text(image["reference"]); ref != "" {
			w.use(fmt.Sprintf("%s[%d].image", path, i), ref)
		}
	}
}

func (w *walker) use(field, image string) {
	w.uses = append(w.uses, Use{File: w.file, Object: w.owner, Field: field, Image: image})
}

func nameOf(m map[string]any) string {
	meta, _ := m["metadata"].(map[string]any)
	name := text(meta["name"])
	if name == "" {
		name = text(meta["generateName"]) + "*"
	}
	if ns := text(meta["namespace"]); ns != "" {
		return ns + "/" + name
	}
	return name
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
