package release_test

import (
	"strings"
	"testing"

	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		product release.Product
		tag     string
		says    string // "": accepted
	}{
		{release.RKE2, "v1.31.0+rke2r1", ""},
		{release.RKE2, "v1.31.14+rke2r1", ""},
		{release.RKE2, "v1.36.3+rke2r12", ""},
		{release.K3s, "v1.36.2+k3s1", ""},
		{release.RKE2, "v1.36.2+k3s1", "have a release of k3s, need one of rke2, such as v1.36.0+rke2r1"},
		{release.K3s, "v1.36.3+rke2r1", "have a release of rke2, need one of k3s, such as v1.36.0+k3s1"},
		{release.RKE2, "v1.36.4-rc1+rke2r1", "have a candidate for a release, need a release, such as v1.36.4+rke2r1"},
		{release.RKE2, "v1.30.14+rke2r1", "have line 1.30, need one of 1.31 to 1.36"},
		{release.RKE2, "v1.37.0+rke2r1", "have line 1.37"},
		{release.RKE2, "v2.31.0+rke2r1", "have another form"},
		{release.RKE2, "v1.31.14", "have another form, need a release in full, such as v1.36.0+rke2r1"},
		{release.RKE2, "1.31.14+rke2r1", "another form"},
		{release.RKE2, "v1.31.14-rke2r1", "another form"},
		{release.RKE2, "v1.31.14%2Brke2r1", "another form"},
		{release.RKE2, "v1.31.014+rke2r1", "another form"},
		{release.RKE2, "v1.31.14+rke2r0", "another form"},
		{release.RKE2, "v1.31.14+rke2r01", "another form"},
		{release.RKE2, "v1.31.14+rke2r1 ", "another form"},
		{release.RKE2, "v1.31.14+rke2r1\n", "another form"},
		{release.RKE2, "v1.31.14+dev.abc", "another form"},
		{release.RKE2, "v1.99999.0+rke2r1", "another form"},
		{release.RKE2, "", "another form"},
		{"kubeadm", "v1.31.14", "have no such product, need rke2 or k3s"},
	} {
		v, err := release.Parse(c.product, c.tag)
		if c.says == "" && (err != nil || v.String() != c.tag) {
			t.Errorf("%s %q: have %s and %v", c.product, c.tag, v, err)
		}
		if c.says != "" && (!release.VersionUnknown.Is(err) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s %q: have %v, need RELEASE-VERSION with %q", c.product, c.tag, err, c.says)
		}
		if c.product == "kubeadm" {
			continue
		}
		// What is accepted here has the form that the Spec asks for.
		e := spec.Enclave{Metadata: spec.Metadata{Name: "x"}, Kubernetes: spec.Kubernetes{Profile: map[release.Product]string{release.RKE2: spec.ProfileRKE2, release.K3s: spec.ProfileK3s}[c.product], Version: c.tag}}
		spec.Default(&e)
		if refused := strings.Contains(spec.Validate(e).Error(), "kubernetes.version"); c.says == "" && refused {
			t.Errorf("%s %q is refused by the Spec", c.product, c.tag)
		}
	}
}

func TestImageTag(t *testing.T) {
	if have := version(t, "v1.31.14+rke2r1").ImageTag(); have != "v1.31.14-rke2r1" {
		t.Errorf("have %s", have)
	}
}

// TestRulesOfTheLines holds the table against what the vendor's repository has
// at these tags: the last without a rule, and the first with it.
func TestRulesOfTheLines(t *testing.T) {
	type rules struct {
		cache, expiry, refusesCloudSetup bool
		exclusion                        string
		prime                            bool
	}
	for tag, want := range map[string]rules{
		"v1.31.0+rke2r1":  {false, false, true, "Conflicts", false},
		"v1.31.8+rke2r1":  {false, false, true, "Conflicts", false},
		"v1.31.9+rke2r1":  {false, false, true, "Conflicts", false},
		"v1.31.13+rke2r1": {false, false, true, "Conflicts", false},
		"v1.31.14+rke2r1": {false, true, true, "Conflicts", false},
		"v1.31.14+rke2r2": {false, true, true, "Conflicts", true},
		"v1.31.15+rke2r1": {false, true, true, "Conflicts", true},
		"v1.32.4+rke2r1":  {false, false, true, "Conflicts", false},
		"v1.32.9+rke2r1":  {false, false, true, "Conflicts", false},
		"v1.32.10+rke2r1": {false, true, true, "Conflicts", false},
		"v1.32.11+rke2r1": {false, true, false, "Conflicts", false},
		"v1.32.13+rke2r1": {false, true, false, "ExecCondition", false},
		"v1.33.0+rke2r1":  {false, false, true, "Conflicts", false},
		"v1.33.5+rke2r1":  {false, false, true, "Conflicts", false},
		"v1.33.6+rke2r1":  {false, true, true, "Conflicts", false},
		"v1.33.8+rke2r1":  {false, true, false, "Conflicts", false},
		"v1.33.9+rke2r1":  {false, true, false, "ExecCondition", false},
		"v1.34.1+rke2r1":  {false, false, true, "Conflicts", false},
		"v1.34.2+rke2r1":  {false, true, true, "Conflicts", false},
		"v1.34.4+rke2r1":  {false, true, false, "Conflicts", false},
		"v1.34.5+rke2r1":  {false, true, false, "ExecCondition", false},
		"v1.35.1+rke2r1":  {false, true, false, "Conflicts", false},
		"v1.35.2+rke2r1":  {false, true, false, "ExecCondition", false},
		"v1.36.0+rke2r1":  {false, true, false, "ExecCondition", false},
		"v1.36.2+rke2r1":  {false, true, false, "ExecCondition", false},
		"v1.36.3+rke2r1":  {true, true, false, "ExecCondition", false},
		"v1.31.8+k3s1":    {false, false, false, "", false},
		"v1.31.14+k3s9":   {false, false, false, "", false},
		"v1.36.2+k3s1":    {false, false, false, "", false},
		"v1.36.3+k3s1":    {true, false, false, "", false},
	} {
		v := version(t, tag)
		have := rules{v.HasImageCache(), v.SetsTokenExpiry(), v.RefusesCloudSetup(), v.Exclusion(), v.PrimeOnly()}
		if have != want {
			t.Errorf("%s: have %+v, need %+v", tag, have, want)
		}
	}
}

func version(t *testing.T, tag string) release.Version {
	t.Helper()
	product := release.RKE2
	if strings.Contains(tag, "k3s") {
		product = release.K3s
	}
	v, err := release.Parse(product, tag)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
