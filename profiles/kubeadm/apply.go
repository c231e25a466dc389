package kubeadm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// applyTries is how often a refused apply is tried again: a manifest may need
// one that was applied a moment ago to have taken effect (a CRD, a webhook).
const applyTries = 5

// ApplyManifests applies the manifests in dir with kubectl, in name order.
func (p Profile) ApplyManifests(ctx context.Context, dir string, report func(string)) error {
	files, err := manifestFiles(filepath.Join(p.root, dir))
	if err != nil || len(files) == 0 {
		return err
	}
	tries := 0
	last, err := until(ctx, report, func(ctx context.Context) (string, error) {
		tries++
		out, err := kubectl(ctx, append([]string{"apply"}, flags("--filename=", files)...)...)
		if err == nil {
			report(fmt.Sprintf("applied %d manifests", len(files)))
			return "", nil
		}
		if tries == applyTries {
			return "", ManifestRefused.New("cannot apply the manifests in %s: have %q, need them accepted: %w", dir, answer(out, err), err).
				Hint("`kubectl --kubeconfig %s apply -f %s` shows each answer", adminConf, dir)
		}
		return fmt.Sprintf("the manifests to be accepted (%s)", answer(out, err)), nil
	})
	if err == nil && last != "" {
		return ManifestRefused.New("cannot apply the manifests in %s: %w, still waiting for %s", dir, context.Cause(ctx), last)
	}
	return err
}

// WaitWorkloads waits until the Deployments, DaemonSets, StatefulSets, Jobs and
// Pods that the manifests in dir define are ready.
func (p Profile) WaitWorkloads(ctx context.Context, dir string, report func(string)) error {
	files, err := manifestFiles(filepath.Join(p.root, dir))
	if err != nil {
		return err
	}
	var all []workload
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
	a, err := connect(p.root, adminConf)
	if err != nil {
		return err
	}
	last, err := until(ctx, report, func(ctx context.Context) (string, error) {
		for len(all) > 0 {
			if pending := all[0].pending(ctx, a); pending != "" {
				return pending, nil
			}
			report(all[0].String() + " is ready")
			all = all[1:]
		}
		return "", nil
	})
	if err == nil && last != "" {
		return WorkloadNotReady.New("cannot call the carried workloads ready: have %s, need it ready: %w", last, context.Cause(ctx)).
			Hint("`kubectl --kubeconfig %s describe pods -A` says more", adminConf)
	}
	return err
}

// manifestFiles lists what kubectl takes for manifests; no folder holds none.
func manifestFiles(dir string) ([]string, error) {
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

func flags(flag string, values []string) []string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		out = append(out, flag+v)
	}
	return out
}

func kubectl(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, binDir+"kubectl", append([]string{"--kubeconfig=" + adminConf}, args...)...)
	// Its cache of the API goes where the next boot forgets it.
	cmd.Env = []string{"HOME=/run/caisson", searchPath, "KUBECACHEDIR=/run/caisson/kubectl"}
	return cmd.CombinedOutput()
}

// answer is the last line that kubectl wrote: what it did comes first, what it
// could not do last.
func answer(out []byte, err error) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return firstLine(last)
	}
	return err.Error()
}

// workload is something in a manifest that runs pods.
type workload struct{ Kind, Namespace, Name string }

func (w workload) String() string {
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
func workloadsIn(file string) ([]workload, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var out []workload
	add := func(o manifestObject) {
		if _, ok := resources[o.Kind]; ok && o.Metadata.Name != "" {
			out = append(out, workload{Kind: o.Kind, Namespace: cmp.Or(o.Metadata.Namespace, "default"), Name: o.Metadata.Name})
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

// pending says what the workload waits for, "" if it is ready.
func (w workload) pending(ctx context.Context, a *api) string {
	path := fmt.Sprintf(resources[w.Kind], url.PathEscape(w.Namespace), url.PathEscape(w.Name))
	if w.Kind == "Pod" {
		var p podObject
		if err := a.get(ctx, path, &p); err != nil {
			return w.String() + " (" + cause(err) + ")"
		}
		if why := p.why(); why != "" {
			return w.String() + " (" + why + ")"
		}
		return ""
	}
	var o workloadObject
	if err := a.get(ctx, path, &o); err != nil {
		return w.String() + " (" + cause(err) + ")"
	}
	have, want := o.progress(w.Kind)
	if have >= want {
		return ""
	}
	out := fmt.Sprintf("%s (%d of %d ready", w, have, want)
	// The reason is in its pods.
	var pods podList
	if s := selector(o.Spec.Selector.MatchLabels); s != "" &&
		a.get(ctx, "/api/v1/namespaces/"+url.PathEscape(w.Namespace)+"/pods?labelSelector="+url.QueryEscape(s), &pods) == nil {
		for _, p := range pods.Items {
			if why := p.why(); why != "" {
				return out + "; " + why + ")"
			}
		}
	}
	return out + ")"
}
