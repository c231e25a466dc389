package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// WaitWorkloads waits until the Deployments, DaemonSets, StatefulSets, Jobs and
// Pods that the manifests in dir, below root, define are ready; conf is the
// administrator's kubeconfig.
func WaitWorkloads(ctx context.Context, root, conf, dir string, report func(string)) error {
	files, err := ManifestFiles(filepath.Join(root, dir))
	if err != nil {
		return err
	}
	var all []Workload
	for _, f := range files {
		found, err := workloadsIn(f)
		if err != nil {
			return err
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		return nil
	}
	a, err := Connect(root, conf)
	if err != nil {
		return err
	}
	last, err := Until(ctx, report, func(ctx context.Context) (string, error) {
		for len(all) > 0 {
			if pending := all[0].Pending(ctx, a); pending != "" {
				return pending, nil
			}
			report(all[0].String() + " is ready")
			all = all[1:]
		}
		return "", nil
	})
	if err == nil && last != "" {
		return WorkloadNotReady.New("cannot call the carried workloads ready: have %s, need it ready: %w", last, context.Cause(ctx)).
			Hint("`kubectl --kubeconfig %s describe pods -A` says more", conf)
	}
	return err
}

// ManifestFiles lists what kubectl takes for manifests; no folder holds none.
func ManifestFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(e.Name())) && !e.IsDir() {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	return out, nil
}

// Workload is something in a manifest that runs pods.
type Workload struct{ Kind, Namespace, Name string }

func (w Workload) String() string {
	return strings.ToLower(w.Kind) + " " + w.Namespace + "/" + w.Name
}

// resources is where each kind is read.
var resources = map[string]string{
	"Deployment":  "/apis/apps/v1/namespaces/%s/deployments/%s",
	"DaemonSet":   "/apis/apps/v1/namespaces/%s/daemonsets/%s",
	"StatefulSet": "/apis/apps/v1/namespaces/%s/statefulsets/%s",
	"Job":         "/apis/batch/v1/namespaces/%s/jobs/%s",
	"Pod":         "/api/v1/namespaces/%s/pods/%s",
}

var documentStart = regexp.MustCompile(`(?m)^---(?:[ \t].*)?$`)

// manifestObject is what is read of an object in a manifest, or of a List.
type manifestObject struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Items []manifestObject `json:"items"`
}

// workloadsIn reads the workloads of one file: YAML documents or JSON, lists
// among them.
func workloadsIn(file string) ([]Workload, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var out []Workload
	add := func(o manifestObject) {
		if _, ok := resources[o.Kind]; ok && o.Metadata.Name != "" {
			out = append(out, Workload{Kind: o.Kind, Namespace: cmp.Or(o.Metadata.Namespace, "default"), Name: o.Metadata.Name})
		}
	}
	// Documents begin at a line of "---", as in kubectl's own reader.
	for _, raw := range documentStart.Split(string(data), -1) {
		var doc manifestObject
		if err := yaml.Unmarshal([]byte(raw), &doc); err != nil {
			return nil, ManifestRefused.New("cannot read the manifest %s: %w", filepath.Base(file), err)
		}
		add(doc)
		for _, o := range doc.Items {
			add(o)
		}
	}
	return out, nil
}

// Pending says what the Workload waits for, "" if it is ready.
func (w Workload) Pending(ctx context.Context, a *API) string {
	path := fmt.Sprintf(resources[w.Kind], url.PathEscape(w.Namespace), url.PathEscape(w.Name))
	if w.Kind == "Pod" {
		var p PodObject
		if err := a.Get(ctx, path, &p); err != nil {
			return w.String() + " (" + Cause(err) + ")"
		}
		if why := p.Why(); why != "" {
			return w.String() + " (" + why + ")"
		}
		return ""
	}
	var o WorkloadObject
	if err := a.Get(ctx, path, &o); err != nil {
		return w.String() + " (" + Cause(err) + ")"
	}
	have, want := o.progress(w.Kind)
	if have >= want {
		return ""
	}
	out := fmt.Sprintf("%s (%d of %d ready", w, have, want)
	// The reason is in its pods.
	var pods PodList
	if s := selector(o.Spec.Selector.MatchLabels); s != "" &&
		a.Get(ctx, "/api/v1/namespaces/"+url.PathEscape(w.Namespace)+"/pods?labelSelector="+url.QueryEscape(s), &pods) == nil {
		for _, p := range pods.Items {
			if why := p.Why(); why != "" {
				return out + "; " + why + ")"
			}
		}
	}
	return out + ")"
}
