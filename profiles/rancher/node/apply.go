package node

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/newfile"
	"caisson.dev/caisson/profiles/cluster"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

// Manifests is the folder that a product applies at each start and whenever a file
// in it changes (k3s pkg/deploy/controller.go, which RKE2 runs too).
func Manifests(p release.Product) string { return Data(p) + "/server/manifests" }

// carried is how the names of the medium's manifests begin there.
const carried = "caisson-carried-"

// refusals is how many looks long the product may fail to apply a file: it tries
// again every 15 seconds, and a manifest may need one before it to have taken
// effect.
const refusals = 60

// ApplyManifests hands the manifests in dir over to the product, and waits until
// it has applied each. It keeps them applied: what somebody deletes comes back
// with the next start. An agent applies nothing.
func (l *Live) ApplyManifests(ctx context.Context, dir string, report func(string)) error {
	if !l.Server() {
		return nil
	}
	all, err := l.handOverAll(dir)
	if err != nil || len(all) == 0 {
		return err
	}
	applied := fmt.Sprintf("applied %d manifests", len(all))
	api, err := cluster.Connect(l.Root, AdminConf(l.Product))
	if err != nil {
		return err
	}
	failed := 0
	last, err := cluster.Until(ctx, report, func(ctx context.Context) (string, error) {
		for len(all) > 0 {
			why, refused := all[0].pending(ctx, api)
			if why == "" {
				all, failed = all[1:], 0
				continue
			}
			if refused {
				failed++
			}
			if failed > refusals {
				return "", l.refuse(dir, "%s", why)
			}
			return why, nil
		}
		return "", nil
	})
	switch {
	case err == nil && last != "":
		return l.refuse(dir, "%s: %w", last, context.Cause(ctx))
	case err == nil:
		report(applied)
	}
	return err
}

func (l *Live) refuse(dir, format string, args ...any) error {
	return cluster.ManifestRefused.New("cannot apply the manifests in "+dir+": have "+format+", need them accepted", args...).
		Hint("`%s -n kube-system get events` shows what is said of each file in %s", l.kubectl(), Manifests(l.Product))
}

// kubectl is how an administrator calls it on a server.
func (l *Live) kubectl() string {
	if l.Product == release.K3s {
		return "k3s kubectl"
	}
	return Data(l.Product) + "/bin/kubectl --kubeconfig " + AdminConf(l.Product)
}

// addon is a file that the product applies, as it names it in the cluster.
type addon struct{ name, sum string }

// CarryNetwork hands the manifests in dir over to a server whose config.yaml leaves
// the pod network to them, and waits for nothing: a node without a network is never
// Ready, and the product applies its folder by itself.
func (l *Live) CarryNetwork(dir string) error {
	if !l.Server() {
		return nil
	}
	c, err := config.Read(os.DirFS(filepath.Join(l.Root, Etc(l.Product))))
	if err != nil {
		return err
	}
	if !slices.Contains(c.Args, "--cni="+spec.None) && !slices.Contains(c.Args, "--flannel-backend="+spec.None) {
		return nil
	}
	_, err = l.handOverAll(dir)
	return err
}

// handOverAll is handOver of each manifest in dir.
func (l *Live) handOverAll(dir string) ([]addon, error) {
	files, err := cluster.ManifestFiles(filepath.Join(l.Root, dir))
	if err != nil || len(files) == 0 {
		return nil, err
	}
	// The product may not have been there yet.
	if err := os.MkdirAll(filepath.Join(l.Root, Manifests(l.Product)), 0o700); err != nil {
		return nil, err
	}
	var all []addon
	for _, f := range files {
		a, err := l.handOver(f)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// handOver puts a manifest where the product looks, whole or not at all. The folder
// is root's alone.
func (l *Live) handOver(file string) (addon, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return addon{}, err
	}
	name := addonName(filepath.Base(file))
	to := filepath.Join(l.Root, Manifests(l.Product), name+filepath.Ext(file))
	err = newfile.Write(to, func(f *os.File) error {
		_, err := f.Write(data)
		return err
	})
	return addon{name: name, sum: digest.Of(data).Hex()}, err
}

// addonName is a name for the cluster: the product takes a file's name up to its
// first dot, and an object's has small letters, digits and hyphens. The medium
// numbers its manifests, so that no two come to the same.
func addonName(file string) string {
	base := strings.ToLower(strings.TrimSuffix(file, filepath.Ext(file)))
	return carried + strings.Trim(strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '-'
	}, base), "-")
}

// pending is what the product has still to do with the file; refused says that it
// tried and failed. It writes the file's checksum down once it has applied it.
func (a addon) pending(ctx context.Context, api *cluster.API) (why string, refused bool) {
	var have struct {
		Spec struct {
			Checksum string `json:"checksum"`
		} `json:"spec"`
	}
	path := "/apis/k3s.cattle.io/v1/namespaces/kube-system/addons/" + url.PathEscape(a.name)
	if err := api.Get(ctx, path, &have); err != nil {
		return "the manifest " + a.name + " to be seen (" + cluster.Cause(err) + ")", false
	}
	if have.Spec.Checksum == a.sum {
		return "", false
	}
	var events struct {
		Items []struct {
			Reason  string `json:"reason"`
			Message string `json:"message"`
		} `json:"items"`
	}
	path = "/api/v1/namespaces/kube-system/events?fieldSelector=" + url.QueryEscape("involvedObject.kind=Addon,involvedObject.name="+a.name+",type=Warning")
	if api.Get(ctx, path, &events) == nil && len(events.Items) > 0 {
		e := events.Items[len(events.Items)-1]
		return "the manifest " + a.name + " to be accepted (" + cluster.FirstLine(e.Reason+": "+e.Message) + ")", true
	}
	return "the manifest " + a.name + " to be applied", false
}
