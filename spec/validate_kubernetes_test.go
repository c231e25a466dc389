package spec

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/fault"
)

// TestVendorReleases: what the fields of the profiles with a vendor's release may
// hold.
func TestVendorReleases(t *testing.T) {
	const rke2, k3s = "v1.31.14+rke2r1", "v1.36.2+k3s1"
	url := &Release{URL: "https://mirror.example/rke2"}
	for _, c := range []struct {
		what string
		k    Kubernetes
		code fault.Kind // zero: accepted
		says string
	}{
		{what: "RKE2", k: Kubernetes{Profile: ProfileRKE2, Version: rke2}},
		{what: "K3s", k: Kubernetes{Profile: ProfileK3s, Version: k3s}},
		{what: "a mirror", k: Kubernetes{Profile: ProfileRKE2, Version: rke2, Release: url}},
		{what: "a folder", k: Kubernetes{Profile: ProfileK3s, Version: k3s, Release: &Release{Path: "k3s"}}},
		{what: "each CNI", k: Kubernetes{Profile: ProfileRKE2, Version: rke2, CNI: []string{"cilium"}}},
		{what: "multus", k: Kubernetes{Profile: ProfileRKE2, Version: rke2, CNI: []string{"multus", "calico"}}},
		{what: "no CNI", k: Kubernetes{Profile: ProfileRKE2, Version: rke2, CNI: []string{"none"}}},
		{what: "both ingresses", k: Kubernetes{Profile: ProfileRKE2, Version: rke2, Ingress: []string{"ingress-nginx", "traefik"}}},
		{what: "SQLite", k: Kubernetes{Profile: ProfileK3s, Version: k3s, Datastore: "sqlite"}},
		{what: "no ingress", k: Kubernetes{Profile: ProfileK3s, Version: k3s, Ingress: []string{"none"}}},

		{"RKE2 by K3s's version", Kubernetes{Profile: ProfileRKE2, Version: k3s}, BadValue, "need a release of the form vX.Y.Z+rke2rN"},
		{"K3s by RKE2's version", Kubernetes{Profile: ProfileK3s, Version: rke2}, BadValue, "need a release of the form vX.Y.Z+k3sN"},
		{"RKE2 by Kubernetes' version", Kubernetes{Profile: ProfileRKE2, Version: "v1.31.14"}, BadValue, "+rke2rN"},
		{"RKE2 without v", Kubernetes{Profile: ProfileRKE2, Version: rke2[1:]}, BadValue, "did you mean " + rke2 + "?"},
		{"a candidate", Kubernetes{Profile: ProfileRKE2, Version: "v1.36.4-rc1+rke2r1"}, BadValue, "kubernetes.version"},
		{"an old line", Kubernetes{Profile: ProfileRKE2, Version: "v1.30.14+rke2r1"}, Unsupported, "v1.31.0 or a later"},
		{"kubeadm by RKE2's version", Kubernetes{Profile: "kubeadm", Version: rke2}, BadValue, "vX.Y.Z"},
		{"kubeadm's source", Kubernetes{Profile: ProfileRKE2, Version: rke2, Source: "modules"}, Conflict, "kubernetes.source"},
		{"a release of kubeadm", Kubernetes{Profile: "kubeadm", Version: "v1.36.0", Release: url}, Conflict, "kubernetes.release: have a value, need none with the profile kubeadm"},
		{"a CNI of kubeadm", Kubernetes{Profile: "kubeadm", Version: "v1.36.0", CNI: []string{"canal"}}, Conflict, "kubernetes.cni: have a value"},
		{"an ingress of kubeadm", Kubernetes{Profile: "kubeadm", Version: "v1.36.0", Ingress: []string{"traefik"}}, Conflict, "kubernetes.ingress: have a value"},
		{"extra keys of kubeadm", Kubernetes{Profile: "kubeadm", Version: "v1.36.0", Extra: &Extra{}}, Conflict, "kubernetes.extra: have a value"},
		{"a CNI of no profile", Kubernetes{Profile: "kubeadmin", Version: "v1.36.0", CNI: []string{"canal"}}, BadValue, "kubernetes.profile"},
		{"another datastore", Kubernetes{Profile: ProfileK3s, Version: k3s, Datastore: "mysql"}, BadValue, "need one of etcd, sqlite"},
		{"a datastore of RKE2", Kubernetes{Profile: ProfileRKE2, Version: rke2, Datastore: "etcd"}, Conflict, "always etcd"},
		{"a datastore of kubeadm", Kubernetes{Profile: "kubeadm", Version: "v1.36.1", Datastore: "etcd"}, Conflict, "kubernetes.datastore"},
		{"a CNI of K3s", Kubernetes{Profile: ProfileK3s, Version: k3s, CNI: []string{"flannel"}}, Conflict, "built in"},
		{"an ingress that K3s has not", Kubernetes{Profile: ProfileK3s, Version: k3s, Ingress: []string{"ingress-nginx"}}, BadValue, "each once of traefik; or none"},
		{"no such CNI", Kubernetes{Profile: ProfileRKE2, Version: rke2, CNI: []string{"weave"}}, BadValue, `have "weave", need one of canal, calico, cilium, flannel, alone or after multus; or none`},
		{"multus alone", Kubernetes{Profile: ProfileRKE2, Version: rke2, CNI: []string{"multus"}}, BadValue, "after multus"},
		{"multus behind", Kubernetes{Profile: ProfileRKE2, Version: rke2, CNI: []string{"canal", "multus"}}, BadValue, `"canal, multus"`},
		{"multus and none", Kubernetes{Profile: ProfileRKE2, Version: rke2, CNI: []string{"multus", "none"}}, BadValue, "kubernetes.cni"},
		{"two CNIs", Kubernetes{Profile: ProfileRKE2, Version: rke2, CNI: []string{"canal", "cilium"}}, BadValue, "kubernetes.cni"},
		{"an ingress twice", Kubernetes{Profile: ProfileRKE2, Version: rke2, Ingress: []string{"traefik", "traefik"}}, BadValue, "each once"},
		{"an ingress and none", Kubernetes{Profile: ProfileRKE2, Version: rke2, Ingress: []string{"traefik", "none"}}, BadValue, "kubernetes.ingress"},
		{"a release from nowhere", Kubernetes{Profile: ProfileRKE2, Version: rke2, Release: &Release{}}, Missing, "neither url nor path"},
		{"a release from two places", Kubernetes{Profile: ProfileRKE2, Version: rke2, Release: &Release{URL: url.URL, Path: "x"}}, Conflict, "both url and path"},
		{"a mirror without TLS", Kubernetes{Profile: ProfileRKE2, Version: rke2, Release: &Release{URL: "http://mirror.example/rke2"}}, BadValue, "https://"},
		{"a mirror by ftp", Kubernetes{Profile: ProfileRKE2, Version: rke2, Release: &Release{URL: "ftp://mirror.example/rke2"}}, BadValue, "kubernetes.release.url"},
		{"a mirror with a query", Kubernetes{Profile: ProfileRKE2, Version: rke2, Release: &Release{URL: "https://mirror.example/rke2?token=x"}}, BadValue, "without ?"},
	} {
		t.Run(c.what, func(t *testing.T) {
			e := Enclave{Metadata: Metadata{Name: "x"}, Kubernetes: c.k, Registry: Registry{Engine: "zot", Binary: &FileSource{Path: "zot"}}}
			Default(&e)
			have := fault.All(Validate(e))
			if c.code.Code == "" {
				if len(have) != 0 {
					t.Errorf("have %v, need nothing", have)
				}
				return
			}
			if len(have) != 1 || have[0].Code != c.code.Code || !strings.Contains(have[0].Error(), c.says) {
				t.Errorf("have %v, need %s with %q", have, c.code.Code, c.says)
			}
		})
	}
}

func TestVendorDefaults(t *testing.T) {
	for profile, want := range map[string]Kubernetes{
		"kubeadm":   {Source: "modules"},
		ProfileRKE2: {CNI: []string{"canal"}, Ingress: []string{"traefik"}},
		ProfileK3s:  {Ingress: []string{"traefik"}, Datastore: "etcd"},
	} {
		e := Enclave{Kubernetes: Kubernetes{Profile: profile}}
		Default(&e)
		Default(&e)
		k := e.Kubernetes
		if k.Source != want.Source || !slices.Equal(k.CNI, want.CNI) || !slices.Equal(k.Ingress, want.Ingress) || k.Datastore != want.Datastore {
			t.Errorf("%s: have %+v, need %+v", profile, k, want)
		}
	}
}

// TestProfileByVersion: a version says whose release it is, and with it which
// profile is meant; one that says nothing leaves the field empty, and it is refused.
func TestProfileByVersion(t *testing.T) {
	for _, c := range []struct{ version, profile, want string }{
		{"v1.36.3+rke2r1", "", ProfileRKE2}, {"v1.36.2+k3s1", "", ProfileK3s}, {"v1.37.2", "", ProfileKubeadm},
		{"1.36.3+rke2r1", "", ProfileRKE2}, {"v1.37", "", ProfileKubeadm},
		{"v1.36.3+rke2r1", ProfileK3s, ProfileK3s}, {"v1.37.2", ProfileRKE2, ProfileRKE2},
		{"v1.36.3+other1", "", ""}, {"v1.36.3+", "", ""}, {"", "", ""},
	} {
		e := Enclave{Kubernetes: Kubernetes{Profile: c.profile, Version: c.version}}
		Default(&e)
		if e.Kubernetes.Profile != c.want {
			t.Errorf("%q with %q: have profile %q, need %q", c.version, c.profile, e.Kubernetes.Profile, c.want)
		}
		if err := Validate(e); c.want == "" && (err == nil || !strings.Contains(err.Error(), "kubernetes.version: have \""+c.version+"\", need a release of the form vX.Y.Z+rke2rN, vX.Y.Z+k3sN or vX.Y.Z")) {
			t.Errorf("%q: have %v, need kubernetes.version refused", c.version, err)
		}
	}
}

func TestReleaseFolderIsLookedFor(t *testing.T) {
	dir := t.TempDir()
	l := Loaded{Dir: dir, Enclave: Enclave{Kubernetes: Kubernetes{Release: &Release{Path: "rke2"}}}}
	if err := CheckFiles(l); !NoFile.Is(err) || !strings.Contains(err.Error(), "kubernetes.release.path") {
		t.Errorf("have %v, need SPEC-NO-FILE", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "rke2"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := CheckFiles(l); err != nil {
		t.Error(err)
	}
}

func TestExceptions(t *testing.T) {
	good := Exception{ID: "1.2.1", Reason: "the site's own proxy asks"}
	for _, c := range []struct {
		what string
		list []Exception
		code fault.Kind // zero: accepted
		says string
	}{
		{what: "one", list: []Exception{good}},
		{what: "two", list: []Exception{good, {ID: "C.2", Reason: "r"}}},
		{"no id", []Exception{{Reason: "r"}}, Missing, "kubernetes.exceptions[0].id: have none"},
		{"no reason", []Exception{good, {ID: "C.2"}}, Missing, "kubernetes.exceptions[1].reason: have none, need why this line is not held"},
		{"a blank reason", []Exception{{ID: "C.2", Reason: " "}}, Missing, "reason"},
		{"twice", []Exception{good, good}, Conflict, `kubernetes.exceptions[1].id: have "1.2.1" a second time`},
		{"a long reason", []Exception{{ID: "C.2", Reason: strings.Repeat("x", 301)}}, BadValue, "have 301 characters, need at most 300"},
		{"a reason of two lines", []Exception{{ID: "C.2", Reason: "a\nb"}}, BadValue, "one line of text"},
	} {
		t.Run(c.what, func(t *testing.T) {
			e := Enclave{Metadata: Metadata{Name: "x"}, Kubernetes: Kubernetes{Profile: "kubeadm", Version: "v1.36.0", Exceptions: c.list}, Registry: Registry{Engine: "zot", Binary: &FileSource{Path: "zot"}}}
			Default(&e)
			have := fault.All(Validate(e))
			if c.code.Code == "" && len(have) > 0 || c.code.Code != "" && (len(have) != 1 || have[0].Code != c.code.Code || !strings.Contains(have[0].Error(), c.says)) {
				t.Errorf("have %v, need %q with %q", have, c.code.Code, c.says)
			}
		})
	}
}
