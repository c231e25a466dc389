package assemble

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/internal/fault"
	profilecatalog "caisson.dev/caisson/profiles/catalog"
	"caisson.dev/caisson/profiles/rancher/registries"
	"caisson.dev/caisson/spec"
)

// enclave is a Spec that is right; more is added to it.
const enclave = `apiVersion: caisson.dev/v1alpha1
kind: Enclave
metadata: {name: site}
kubernetes: {profile: kubeadm, version: v1.37.2}
registry: {engine: distribution, version: v3.1.2}
`

func load(t *testing.T, more string) spec.Loaded {
	t.Helper()
	l, err := spec.Parse([]byte(enclave+more), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func codes(err error) []string {
	var out []string
	for _, f := range fault.All(err) {
		out = append(out, f.Code)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// excepted adds an exception to a line of the CIS table.
func excepted(id string) func(*spec.Enclave) {
	return func(e *spec.Enclave) { e.Kubernetes.Exceptions = []spec.Exception{{ID: id, Reason: "a reason"}} }
}

func TestChooseRefuses(t *testing.T) {
	for _, c := range []struct {
		what, more string
		change     func(*spec.Enclave)
		codes      []string
		says       string
	}{
		{what: "nothing"},
		{what: "an image beside the profile's", more: "images: [{ref: \"registry.k8s.io/pause:3.9\"}]"},
		{what: "an image of the profile's", more: "images: [{ref: \"a/b:1\"}, {ref: \"registry.k8s.io/etcd:3.7.0-0\"}]", codes: []string{"IMAGE-REF-TWICE"},
			says: "caisson.yaml:6:27: images[1].ref: have registry.k8s.io/etcd:3.7.0-0, which the profile kubeadm makes too, need each image once\nhint: the profile carries it already: leave it out"},
		{what: "a program of the profile's name", more: "images: [{ref: \"registry.k8s.io/pause:3.10.2\", module: {path: example.com/x, version: v1.0.0}}]", codes: []string{"IMAGE-REF-TWICE"}},
		{what: "files that are not there", more: "images: [{ref: \"a/b:1\", layout: gone}]\nmanifests: [gone.yaml]", codes: []string{"SPEC-NO-FILE"}},
		{what: "an exception", change: excepted("C.14")},
		{what: "an exception by the id of another benchmark", change: excepted("5.7.1"), codes: []string{"SPEC-VALUE"}, says: `have "5.7.1", need an id of the CIS table`},
		{what: "an exception to nothing", change: excepted("C.14x"), codes: []string{"SPEC-VALUE"},
			says: `kubernetes.exceptions[0].id: have "C.14x", need an id of the CIS table of the profile kubeadm, benchmark 2.0` + "\nhint: did you mean C.14?"},
		{what: "no such engine", change: func(e *spec.Enclave) { e.Registry.Engine = "harbor" }, codes: []string{"REGISTRY-ENGINE-UNKNOWN"}, says: `"harbor"`},
		{what: "neither", change: func(e *spec.Enclave) { e.Registry.Engine, e.Kubernetes.Profile = "harbor", "k0s" },
			codes: []string{"PROFILE-UNKNOWN", "REGISTRY-ENGINE-UNKNOWN"}},
		{what: "a version and a file", more: "manifests: [gone.yaml]", change: func(e *spec.Enclave) { e.Kubernetes.Version = "v1.99.0" },
			codes: []string{"KUBERNETES-VERSION", "SPEC-NO-FILE"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			l := load(t, c.more)
			if c.change != nil {
				c.change(&l.Enclave)
			}
			_, err := Choose(l)
			if diff := cmp.Diff(c.codes, codes(err)); diff != "" {
				t.Errorf("codes -want +got\n%s%v", diff, err)
			}
			if err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("have %v\nwant %q", err, c.says)
			}
		})
	}
}

// TestChooseAsksTheProfileOfObjects: what it refuses of the manifests is known at
// the desk, and where the profile has no say nothing is refused.
func TestChooseAsksTheProfileOfObjects(t *testing.T) {
	for profile, want := range map[string][]string{
		"rke2-cis, version: v1.36.3+rke2r1": {"RANCHER-INGRESS-CLOSED", "RANCHER-UPGRADE-JOBS"},
		"k3s-edge, version: v1.36.2+k3s1":   {"RANCHER-INGRESS-CLOSED", "RANCHER-UPGRADE-JOBS"},
		"kubeadm, version: v1.37.2":         nil,
	} {
		dir := t.TempDir()
		text := strings.Replace(enclave, "kubeadm, version: v1.37.2", profile, 1) + "manifests: [m.yaml]\n"
		l, err := spec.Parse([]byte(text), dir)
		if err != nil {
			t.Fatal(err)
		}
		objects := "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\n---\napiVersion: upgrade.cattle.io/v1\nkind: Plan\nmetadata: {name: p, namespace: x}\n"
		if err := os.WriteFile(filepath.Join(dir, "m.yaml"), []byte(objects), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err = Choose(l); !slices.Equal(codes(err), want) {
			t.Errorf("%s: have %v, need %v", profile, err, want)
		}
	}
}

// TestManifestsOfOneBaseName: each keeps a want and a file of its own, and what
// sorts by name on the node keeps the order of the Spec.
func TestManifestsOfOneBaseName(t *testing.T) {
	long := strings.Repeat("d/", 120) + "last.yml"
	list := []string{"z.yaml", "b/x.yaml", "./a/x.yaml", "a/Deep er/x.yml", long}
	for i := range 100 {
		list = append(list, fmt.Sprintf("many/%d.yaml", i))
	}
	l := load(t, "")
	l.Enclave.Manifests = list
	c, err := Choose(load(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	c.Spec = l
	wants, err := c.Wants()
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]string{} // want -> file
	for _, w := range wants {
		if w.File != nil {
			made[w.Name] = w.File.Path
		}
	}
	if len(made) != len(list) || made["manifest/a/x.yaml"] != "./a/x.yaml" || made["manifest/b/x.yaml"] != "b/x.yaml" {
		t.Errorf("have %d wants for %d manifests: %v", len(made), len(list), made)
	}
	payload, err := c.payload()
	if err != nil {
		t.Fatal(err)
	}
	var names, artifacts []string
	for _, f := range payload {
		if path.Dir(f.Path) == bundle.NodeManifests {
			names, artifacts = append(names, path.Base(f.Path)), append(artifacts, made[f.Artifact])
		}
	}
	if diff := cmp.Diff(list, artifacts); diff != "" {
		t.Errorf("files -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]string{"001-z.yaml", "002-b-x.yaml", "003-a-x.yaml", "004-a-deep-er-x.yml"}, names[:4]); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if !slices.IsSorted(names) || len(names[4]) > 255 || !strings.HasSuffix(names[4], "-last.yml") {
		t.Errorf("have %v, want it sorted, and each short enough for a file name", names)
	}
}

// TestProfileRefsAreNormal: they are compared with references in full.
func TestProfileRefsAreNormal(t *testing.T) {
	c, err := Choose(load(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	refs, err := c.profileRefs()
	if err != nil || len(refs) == 0 {
		t.Fatal(refs, err)
	}
	for _, ref := range refs {
		if full, err := spec.NormalizeRef(ref); full != ref {
			t.Errorf("%s is %s in full (%v)", ref, full, err)
		}
		if n, err := images.ParseRef(ref); err != nil || n.Tag == "" {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

// TestRegistriesAreJudged: RKE2's and K3s's registries.yaml is looked at before a
// medium is made; other profiles have none.
func TestRegistriesAreJudged(t *testing.T) {
	for name, refused := range map[string]bool{spec.ProfileRKE2: true, spec.ProfileK3s: true, "kubeadm": false} {
		p, err := profilecatalog.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		for address, outside := range map[string]bool{images.Address: false, "docker.io:5000": true} {
			c := Choice{Profile: p, Engine: elsewhere{address: address}}
			if err := c.checkRegistries([]string{"docker.io/library/a:1", "quay.io/b/c:2"}); registries.Invalid.Is(err) != (refused && outside) || err != nil && !outside {
				t.Errorf("%s at %s: have %v", name, address, err)
			}
		}
	}
}

// elsewhere is a registry engine at an address.
type elsewhere struct {
	images.Engine
	address string
}

func (e elsewhere) Service() images.Service { return images.Service{Address: e.address} }
