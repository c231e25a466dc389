package check

import (
	"maps"
	"slices"
	"testing"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// TestEditions: each known benchmark has its differences here, no two lines of it
// share an id, and the newest moves none.
func TestEditions(t *testing.T) {
	known := slices.Sorted(slices.Values(profiles.Benchmarks))
	if have := slices.Sorted(maps.Keys(editions)); !slices.Equal(have, known) {
		t.Errorf("have %v, need %v", have, known)
	}
	if len(editions[profiles.Newest].moved) > 0 {
		t.Errorf("lines are named by the newest, which moves %v", editions[profiles.Newest].moved)
	}
	for benchmark := range editions {
		seen := map[string]bool{}
		for _, l := range Table(benchmark, spec.ControlPlane, nil) {
			if seen[l.ID] {
				t.Errorf("%s has %s twice", benchmark, l.ID)
			}
			seen[l.ID] = true
			if r := l.Run(t.Context(), t.TempDir()); r.Status != Manual || r.Have == "" || r.Want == "" {
				t.Errorf("%s %s: %+v, need manual and both values", benchmark, l.ID, r)
			}
		}
	}
	for name := range refusedBy {
		if title(name) == "" {
			t.Errorf("%s has no title", name)
		}
	}
}

// TestTableKeepsWhatAProfileJudges: no line by hand beside it.
func TestTableKeepsWhatAProfileJudges(t *testing.T) {
	own := Of("5.6.4", "mine", func(string) profiles.Result { return Verdict(true, "h", "w") })
	for _, l := range Table("1.9", spec.ControlPlane, []profiles.Check{own}) {
		if l.Name == "5.6.4" && (l.ID != "5.7.4" || l.Title != "mine") {
			t.Errorf("have %s %q, need 5.7.4 of the profile", l.ID, l.Title)
		}
	}
	if have := Table("2.1", spec.ControlPlane, []profiles.Check{own}); have != nil {
		t.Errorf("have %v for a benchmark that nobody knows", have)
	}
}
