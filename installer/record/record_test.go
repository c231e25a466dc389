package record_test

import (
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/installer/record"
)

func TestParse(t *testing.T) {
	r := record.New(plan.Confirmed{}, installtest.Machine(), "test", time.Unix(1790000000, 0))
	b, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	again, err := record.Parse(b)
	if err != nil || again.Started != "2026-09-21T14:13:20Z" || again.Machine.Memory != r.Machine.Memory {
		t.Errorf("read back as %+v, %v", again, err)
	}
	for _, bad := range []string{"", "{}", strings.Replace(string(b), `"Record"`, `"Plan"`, 1), strings.Replace(string(b), `"node"`, `"knot"`, 1)} {
		if _, err := record.Parse([]byte(bad)); !record.Unreadable.Is(err) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"apiVersion":"caisson.dev/v1alpha1","kind":"Record"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := record.Parse(b)
		if err != nil {
			return
		}
		again, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := record.Parse(again); err != nil {
			t.Errorf("what was read cannot be read again: %v", err)
		}
	})
}
