package manifests

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/spec"
)

const pods = `# a comment
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: ns}
spec:
  initContainers: [{name: i, image: a/init:1}]
  containers:
    - name: c
      image: a/main:1
  ephemeralContainers: [{name: e, image: a/debug:1}]
  volumes:
    - name: v
      image: {reference: a/data:1}
---
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: cron}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers: [{image: a/cron:1}]
---
apiVersion: v1
kind: List
items:
  - apiVersion: apps/v1
    kind: Deployment
    metadata: {name: d}
    spec: {template: {spec: {containers: [{name: x, image: a/list:1}]}}}
  - apiVersion: example.com/v1
    kind: Custom
    metadata: {generateName: g-}
    spec: {pod: {containers: [{name: x, image: a/custom:1}, {name: patch}, word]}}
--- # last
apiVersion: v1
kind: ConfigMap
metadata: {name: m}
data: {containers: "not a list", image: a/none:1}
`

func TestImagesAreFound(t *testing.T) {
	uses, err := Images("f.yaml", []byte(pods))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range uses {
		got = append(got, u.Object+" | "+u.Field+" | "+u.Image)
	}
	want := []string{
		"Pod ns/p | spec.containers[0] (c) | a/main:1",
		"Pod ns/p | spec.ephemeralContainers[0] (e) | a/debug:1",
		"Pod ns/p | spec.initContainers[0] (i) | a/init:1",
		"Pod ns/p | spec.volumes[0].image | a/data:1",
		"CronJob cron | spec.jobTemplate.spec.template.spec.containers[0] | a/cron:1",
		"Deployment d | items[0].spec.template.spec.containers[0] (x) | a/list:1",
		"Custom g-* | items[1].spec.pod.containers[0] (x) | a/custom:1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestObjectsAreListed(t *testing.T) {
	got := Objects([]File{{"bad.yaml", []byte("a: [")}, {"f.yaml", []byte(pods)}})
	want := []Object{
		{"f.yaml", "v1", "Pod", "ns", "p"}, {"f.yaml", "batch/v1", "CronJob", "", "cron"}, {"f.yaml", "apps/v1", "Deployment", "", "d"},
		{"f.yaml", "example.com/v1", "Custom", "", ""}, {"f.yaml", "v1", "ConfigMap", "", "m"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestManifestIsRefused(t *testing.T) {
	for what, c := range map[string][2]string{
		"not YAML":             {"a: [", "not YAML"},
		"a values file":        {"image: x", "without apiVersion and kind"},
		"a list at the top":    {"- a", "without apiVersion and kind"},
		"a field twice":        {"apiVersion: v1\nkind: Pod\nkind: Pod", "number 1"},
		"a second bad one":     {"apiVersion: v1\nkind: X\n---\nfoo", "number 2"},
		"a pod with no image":  {"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c}]}", "no image in spec.containers[0] (c) of Pod p"},
		"a template of a tool": {"apiVersion: v1\nkind: {{ .Kind }}", "not YAML"},
		"an alias bomb":        {"apiVersion: v1\nkind: X\n" + bomb(), "not YAML"},
	} {
		if _, err := Images("f.yaml", []byte(c[0])); !Unreadable.Is(err) || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s: have %v, want %q", what, err, c[1])
		}
	}
}

func bomb() string {
	s := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := '1'; i <= '9'; i++ {
		p := string(i - 1)
		s += "a" + string(i) + ": &a" + string(i) + " [" + strings.TrimSuffix(strings.Repeat("*a"+p+", ", 10), ", ") + "]\n"
	}
	return s
}

func TestCheck(t *testing.T) {
	sum := "sha256:" + strings.Repeat("0", 64)
	e := spec.Enclave{Images: []spec.Image{{Ref: "a/main:1"}, {Ref: "docker.io/library/busybox:1.36"}, {Ref: "r.example/pinned:1", Digest: sum}}}
	profile := []string{"registry.k8s.io/pause:3.10.2"}
	for _, c := range []struct{ image, says string }{
		{"a/main:1", ""}, {"docker.io/a/main:1", ""}, {"busybox:1.36", ""}, {"registry.k8s.io/pause:3.10.2", ""},
		{"r.example/pinned:1@" + sum, ""}, {"r.example/pinned@" + sum, ""},
		{"a/main:2", "have image docker.io/a/main:2 in spec.containers[0] (c) of Pod p, need one that the Spec or the profile carries\nhint: did you mean docker.io/a/main:1?"},
		{"busybox", "docker.io/library/busybox:latest"},
		{"busybx:1.36", "did you mean docker.io/library/busybox:1.36?"},
		{"a/main@" + sum, "images[].digest"},
		{"Bad Ref", "SPEC-MANIFEST"},
	} {
		text := "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: \"" + c.image + "\"}]}\n"
		uses, err := Uses([]File{{"f.yaml", []byte(text)}})
		if err != nil {
			t.Fatal(err)
		}
		err = Check(uses, e, profile)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: have %v\nwant %q", c.image, err, c.says)
		}
	}
}

func TestCheckReportsAllAtOnce(t *testing.T) {
	uses, err := Uses([]File{{"g.yaml", []byte("a: [")}, {"f.yaml", []byte(pods)}, {"h.yaml", []byte("- a")}})
	if n := len(fault.All(err)); n != 2 || !Unreadable.Is(err) {
		t.Errorf("have %d faults, want 2: %v", n, err)
	}
	err = Check(uses, spec.Enclave{}, nil)
	if n := len(fault.All(err)); n != 7 || !NotCarried.Is(err) {
		t.Errorf("have %d faults, want 7: %v", n, err)
	}
}

// TestExamplesCarryTheirImages is what caisson validate does with the demo.
func TestExamplesCarryTheirImages(t *testing.T) {
	l, err := spec.Load("../../examples/demo/caisson.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files, err := Load(l)
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	uses, err := Uses(files)
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(uses, l.Enclave, nil); err != nil {
		t.Error(err)
	}
	l.Enclave.Images = nil
	if err := Check(uses, l.Enclave, nil); !NotCarried.Is(err) {
		t.Errorf("without its image: have %v", err)
	}
	l.Enclave.Manifests = []string{"gone.yaml", "httpbin.yaml"}
	files, err = Load(l)
	if !spec.NoFile.Is(err) || !strings.Contains(err.Error(), "manifests[0]: have ") {
		t.Errorf("a file that is not there: have %v", err)
	}
	if len(files) != 1 || files[0].Name != "httpbin.yaml" {
		t.Errorf("have %d files beside the one that is not there, want 1", len(files))
	}
}

func FuzzImages(f *testing.F) {
	f.Add([]byte(pods))
	f.Add([]byte(bomb()))
	raw, err := os.ReadFile("../../examples/demo/httpbin.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		uses, err := Images("f.yaml", raw)
		if err != nil && len(fault.All(err)) == 0 {
			t.Fatalf("an error without a code: %v", err)
		}
		for _, u := range uses {
			if u.Image == "" || u.File != "f.yaml" {
				t.Fatalf("a use of nothing: %+v", u)
			}
		}
	})
}
