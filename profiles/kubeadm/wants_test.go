package kubeadm

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/spec"
)

func TestVersions(t *testing.T) {
	for _, v := range []string{"1.37.2", "v1.37", "v1.30.0", "v1.38.0", "v2.37.2", "v1.37.02", "v1.37.2+rke2r1", "", "v1.37.2\n"} {
		if _, err := versionsOf(demo(v)); !KubernetesVersion.Is(err) {
			t.Errorf("version %q: %v, want KUBERNETES-VERSION", v, err)
		}
	}
	v, err := versionsOf(demo("v1.37.2"))
	if err != nil {
		t.Fatal(err)
	}
	if got := v.staging(); got != "v0.37.2" {
		t.Errorf("staging %s", got)
	}
	if got := v.etcdModule(); got != "v3.7.0" {
		t.Errorf("etcd module %s", got)
	}
	if v, err := versionsOf(demo("v1.38.0-rc.1")); err == nil {
		t.Errorf("accepted %v", v)
	}
	_, err = versionsOf(demo("v1.38.0"))
	if want := "KUBERNETES-VERSION: cannot use kubernetes.version: have v1.38.0, need a release of 1.31 to 1.37\n"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("have %v\nwant %s", err, want)
	}
	e := demo("v1.37.2")
	e.Kubernetes.Source = "release"
	if _, err := New().Wants(e); !KubernetesSource.Is(err) {
		t.Errorf("source: %v, want KUBERNETES-SOURCE", err)
	}
}

// TestSpecPageSaysTheRange: the reference names the versions of the table.
func TestSpecPageSaysTheRange(t *testing.T) {
	page, err := os.ReadFile("../../docs/spec.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("of a minor version from 1.%d to 1.%d |", oldestMinor, newestMinor); !strings.Contains(string(page), want) {
		t.Errorf("docs/spec.md does not say %q", want)
	}
	for minor := oldestMinor; minor <= newestMinor; minor++ {
		if _, ok := releases[minor]; !ok {
			t.Errorf("1.%d is in the range and not in the table", minor)
		}
	}
	if n := newestMinor - oldestMinor + 1; len(releases) != n {
		t.Errorf("the table has %d versions, the range %d", len(releases), n)
	}
}

// What kubeadm v1.37.2 itself asks for: `kubeadm config images list`.
var kubeadm137 = []string{
	"registry.k8s.io/coredns/coredns:v1.14.6",
	"registry.k8s.io/etcd:3.7.0-0",
	"registry.k8s.io/kube-apiserver:v1.37.2",
	"registry.k8s.io/kube-controller-manager:v1.37.2",
	"registry.k8s.io/kube-proxy:v1.37.2",
	"registry.k8s.io/kube-scheduler:v1.37.2",
	"registry.k8s.io/pause:3.10.2",
}

func TestRecipesAreKubeadmsImages(t *testing.T) {
	recipes, err := New().Recipes(demo("v1.37.2"))
	if err != nil {
		t.Fatal(err)
	}
	var refs []string
	for _, r := range recipes {
		refs = append(refs, r.Ref)
		if _, err := images.ParseRef(r.Ref); err != nil {
			t.Error(err)
		}
	}
	slices.Sort(refs)
	if !slices.Equal(refs, kubeadm137) {
		t.Errorf("have %v\nwant %v", refs, kubeadm137)
	}
}

// Every artifact that a recipe or the payload names is made by a Want, or is
// the one program that is handed over; every package layer is wanted.
func TestNothingUnwanted(t *testing.T) {
	for minor := oldestMinor; minor <= newestMinor; minor++ {
		e := demo(fmt.Sprintf("v1.%d.4", minor))
		wants, err := New().Wants(e)
		if err != nil {
			t.Fatal(err)
		}
		made := map[string]bool{pauseArtifact: true}
		for _, w := range wants {
			made[w.Name] = w.Debian != nil && w.Debian.Extract == nil
			if w.Module != nil {
				for name := range w.Module.Programs {
					made[w.Name+"/"+name] = true
				}
			}
			if w.Debian != nil {
				for name := range w.Debian.Extract {
					made[w.Name+"/"+name] = true
				}
			}
		}
		recipes, err := New().Recipes(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range recipes {
			for _, l := range r.Layers {
				if l.Packages != "" && !made[l.Packages] {
					t.Errorf("%s: no Want %s", r.Ref, l.Packages)
				}
				for _, f := range l.Files {
					if !made[f.Artifact] {
						t.Errorf("%s: no artifact %s", r.Ref, f.Artifact)
					}
				}
			}
		}
		payload, err := New().Payload(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range payload {
			if !made[f.Artifact] {
				t.Errorf("payload %s: no artifact %s", f.Path, f.Artifact)
			}
		}
	}
}

func TestSecurityArchive(t *testing.T) {
	e := demo("v1.37.2")
	e.OS.Security = spec.NoSecurity
	if w := containerdPackages(e); w.Security != "" {
		t.Errorf("security %q, want none", w.Security)
	}
	if w := nftPackages(demo("v1.37.2")); !strings.HasPrefix(w.Security, "http") {
		t.Errorf("security %q, want an archive", w.Security)
	}
}

// One snapshot fixes every package that the profile takes.
func TestSnapshot(t *testing.T) {
	e := demo("v1.37.2")
	e.OS.Snapshot, e.OS.Mirror, e.OS.Security = "20261101T000000Z", "https://mirror.example/debian/", "https://mirror.example/debian-security"
	wants, err := New().Wants(e)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, w := range wants {
		if w.Debian == nil {
			continue
		}
		found++
		if w.Debian.Mirror != "https://mirror.example/debian/20261101T000000Z" || w.Debian.Security != "https://mirror.example/debian-security/20261101T000000Z" {
			t.Errorf("%s: mirror %q, security %q, want both at the snapshot", w.Name, w.Debian.Mirror, w.Debian.Security)
		}
	}
	if found != 2 {
		t.Errorf("have %d Debian wants, want 2", found)
	}
}

func TestNeeds(t *testing.T) {
	if w, c := New().Needs(spec.Worker), New().Needs(spec.ControlPlane); w.Memory >= c.Memory || c.CPUs < 2 {
		t.Errorf("worker %+v, control plane %+v", w, c)
	}
}
