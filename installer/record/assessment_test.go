package record_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"caisson.dev/caisson/installer/record"
	"caisson.dev/caisson/spec"
)

func TestParseAssessment(t *testing.T) {
	a := record.Assessment{APIVersion: spec.APIVersion, Kind: "Assessment", Node: "n", Benchmark: "B 1", Checks: []record.Finding{
		{ID: "1.1", Status: "pass"}, {ID: "C.2", Status: record.Excepted, Reason: "why", Found: "fail", Have: "0", Want: "1"}}}
	b, err := a.JSON()
	if err != nil {
		t.Fatal(err)
	}
	again, err := record.ParseAssessment(b)
	if diff := cmp.Diff(a, again); err != nil || diff != "" {
		t.Errorf("%v, -want +got\n%s", err, diff)
	}
	for _, bad := range []string{"", "{}", strings.Replace(string(b), `"Assessment"`, `"Record"`, 1), strings.Replace(string(b), `"node"`, `"knot"`, 1)} {
		if _, err := record.ParseAssessment([]byte(bad)); !record.Unreadable.Is(err) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
}

func FuzzParseAssessment(f *testing.F) {
	f.Add([]byte(`{"apiVersion":"caisson.dev/v1alpha1","kind":"Assessment"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := record.ParseAssessment(b)
		if err != nil {
			return
		}
		again, err := a.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := record.ParseAssessment(again); err != nil {
			t.Errorf("what was read cannot be read again: %v", err)
		}
	})
}
