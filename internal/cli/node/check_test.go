package node

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"caisson.dev/caisson/installer/record"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// exceptedTree is an installed node whose Spec has exceptions.
func exceptedTree(t *testing.T, b *bench, more string) {
	t.Helper()
	installedTree(t, b.scratch)
	path := filepath.Join(b.scratch, "var/lib/caisson/caisson.yaml")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(raw), "kubernetes: {", "kubernetes: {exceptions: ["+more+"], ", 1)
	if changed == string(raw) {
		t.Fatal("the Spec of the test has no block kubernetes")
	}
	if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
}

func assessed(t *testing.T, b *bench) map[string]record.Finding {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(b.scratch, record.AssessmentPath))
	if err != nil {
		t.Fatal(err)
	}
	a, err := record.ParseAssessment(raw)
	if err != nil {
		t.Fatal(err)
	}
	if a.Node != "node1" || a.Role != "control-plane" || a.Profile != "kubeadm" || a.Benchmark != "CIS Kubernetes Benchmark 2.0" || a.Signed {
		t.Errorf("the assessment says %+v", a)
	}
	out := map[string]record.Finding{}
	for _, f := range a.Checks {
		out[f.ID] = f
	}
	return out
}

// TestCheckCIS: an empty tree fails, the exception is shown with its reason and
// counts as nothing else, and what was found is kept.
func TestCheckCIS(t *testing.T) {
	b := newBench(t)
	exceptedTree(t, b, "{id: 1.2.16, reason: the log goes elsewhere}")
	r, out := soon(t, b)
	err := (checkCmd{}).CIS.Run(r)
	if !CISFailed.Is(err) || !strings.Contains(err.Error(), "4.2.6") || strings.Contains(err.Error(), "1.2.16") {
		t.Errorf("have %v, need CIS-FAILED that names 4.2.6 and not 1.2.16", err)
	}
	for _, want := range []string{"CIS Kubernetes Benchmark 2.0, by the table of the profile kubeadm", "  excepted       1.2.16   There is an audit log\n", "excepted: the log goes elsewhere (found: fail)", ", 1 excepted"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if f := assessed(t, b)["1.2.16"]; f.Status != "excepted" || f.Found != "fail" || f.Reason != "the log goes elsewhere" || f.Have == "" {
		t.Errorf("the exception is kept as %+v", f)
	}
	b = newBench(t)
	exceptedTree(t, b, "{id: 1.2.16, reason: r}")
	r, out = soon(t, b)
	if err := (checkCISCmd{JSON: true}).Run(r); !CISFailed.Is(err) {
		t.Errorf("have %v, need CIS-FAILED", err)
	}
	a, err := record.ParseAssessment(out.Bytes())
	if err != nil || len(a.Checks) == 0 || len(assessed(t, b)) == 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestCheckByAnotherBenchmark: its name and ids are shown and kept; an exception
// stays with its line, whatever id that has; what nobody knows is refused.
func TestCheckByAnotherBenchmark(t *testing.T) {
	b := newBench(t)
	exceptedTree(t, b, "{id: 5.6.4, reason: one tenant}, {id: 5.2.10, reason: no Windows}")
	r, out := soon(t, b)
	if err := (checkCISCmd{Benchmark: "1.9"}).Run(r); !CISFailed.Is(err) {
		t.Errorf("have %v, need CIS-FAILED", err)
	}
	for _, want := range []string{"CIS Kubernetes Benchmark 1.9 (not made for Kubernetes ", "excepted       5.7.4 ", "excepted       5.2.11 ", "manual         5.2.10 ", "manual         1.2.20 "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	for _, asked := range []string{"2.1", "1.8", "cis-1.9"} {
		r, _ := soon(t, b)
		err := (checkCISCmd{Benchmark: asked}).Run(r)
		if !BenchmarkUnknown.Is(err) || !strings.Contains(err.Error(), `"`+asked+`"`) || !strings.Contains(err.Error(), "have the ids of 1.9, 1.10, 1.11, 1.12, 2.0") {
			t.Errorf("%s: have %v, need BENCHMARK-UNKNOWN with the versions that are known", asked, err)
		}
	}
}

// oneLine is a profile with one line of a table, and no benchmark.
type oneLine struct {
	profiles.Profile
	status string
}

func (oneLine) Name() string            { return "one" }
func (oneLine) Unit(role string) string { return "one-" + role + ".service" }
func (p oneLine) Checks(string, string) []profiles.Check {
	return []profiles.Check{{Name: "one", ID: "1", Title: "A line", Run: func(context.Context, string) profiles.Result {
		return profiles.Result{Status: p.status, Have: "h", Want: "w"}
	}}}
}

func TestExceptedIsNeverAPass(t *testing.T) {
	for _, c := range []struct {
		found      string
		exceptions []spec.Exception
		tally      string
		fails      int
	}{
		{"pass", nil, "1 pass", 0},
		{"fail", nil, "1 fail", 1},
		{"manual", nil, "1 manual", 0},
		{"not-applicable", nil, "1 not-applicable", 0},
		{"pass", []spec.Exception{{ID: "1", Reason: "r"}}, "1 excepted", 0},
		{"fail", []spec.Exception{{ID: "1", Reason: "r"}}, "1 excepted", 0},
		{"fail", []spec.Exception{{ID: "2", Reason: "r"}}, "1 fail", 1},
	} {
		n := installed{profile: oneLine{status: c.found}}
		n.enclave.Kubernetes.Exceptions = c.exceptions
		list := assess(t.Context(), "/", n, n.benchmark())
		if tally(list) != c.tally || len(failures(list)) != c.fails {
			t.Errorf("%+v: have %q and failures %v", c, tally(list), failures(list))
		}
		data := state{CIS: list}.data()
		if (data["cis.fail"] != "") != (c.fails > 0) || data["cis"] != c.tally {
			t.Errorf("%+v: the event has %v", c, data)
		}
	}
	if have := profiles.Unit(oneLine{}, spec.Worker); have != "one-worker.service" {
		t.Errorf("have unit %s", have)
	}
	if have := (installed{profile: oneLine{}}).named(""); have != "no benchmark named" {
		t.Errorf("have benchmark %q", have)
	}
}

// TestAssessmentNamesItsRecord and the time.
func TestAssessmentNamesItsRecord(t *testing.T) {
	b := newBench(t)
	installedTree(t, b.scratch)
	rec := record.Record{APIVersion: spec.APIVersion, Kind: "Record", Node: "node1"}
	raw, err := rec.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.scratch, record.Path), raw, 0o644); err != nil {
		t.Fatal(err)
	}
	n, err := load(b.scratch)
	if err != nil {
		t.Fatal(err)
	}
	_, d, err := readRecord(b.scratch)
	if err != nil {
		t.Fatal(err)
	}
	b.now = func() time.Time { return time.Unix(1790000000, 0) }
	r, _ := soon(t, b)
	want := record.Assessment{APIVersion: spec.APIVersion, Kind: "Assessment", Record: d, Caisson: "devel", Enclave: "demo", Release: n.manifest.Release,
		Node: "node1", Role: "control-plane", Kubernetes: n.enclave.Kubernetes.Version, Profile: "kubeadm", Benchmark: "CIS Kubernetes Benchmark 2.0", At: "2026-09-21T14:13:20Z"}
	if diff := cmp.Diff(want, assessment(r, n, "2.0", nil)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
