package catalog

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// sections are how many lines each section has, by benchmark: how the ids run.
var sections = map[string]map[string]int{
	"1.9": sectionsWith(map[string]int{"1.2": 29, "4.2": 13, "5.2": 13, "5.7": 4}), "1.10": sectionsWith(map[string]int{"1.2": 29, "4.2": 13, "5.2": 13, "5.7": 4}),
	"1.11": sectionsWith(map[string]int{"1.2": 30, "4.2": 15, "5.2": 13, "5.6": 4}),
	"1.12": sectionsWith(map[string]int{"1.2": 30, "4.2": 14, "5.2": 12, "5.6": 4}), "2.0": sectionsWith(map[string]int{"1.2": 30, "4.2": 14, "5.2": 12, "5.6": 4}),
}

func sectionsWith(more map[string]int) map[string]int {
	out := map[string]int{"1.1": 21, "1.3": 7, "1.4": 2, "2": 7, "3.1": 3, "3.2": 2, "4.1": 10, "4.3": 1, "5.1": 13, "5.3": 2, "5.4": 2, "5.5": 1}
	for k, v := range more {
		out[k] = v
	}
	return out
}

// TestEveryLineIsThere: each profile has every id of each benchmark once, a worker
// those of section 4; what nobody can check by program is manual and not missing.
func TestEveryLineIsThere(t *testing.T) {
	if len(sections) != len(profiles.Benchmarks) || !slices.Contains(profiles.Benchmarks, profiles.Newest) {
		t.Errorf("have %v, need one for each of %v", sections, profiles.Benchmarks)
	}
	for _, p := range all() {
		for _, benchmark := range profiles.Benchmarks {
			for _, role := range []string{spec.ControlPlane, spec.Worker} {
				var want, have []string
				for section, n := range sections[benchmark] {
					for i := 1; i <= n && (role == spec.ControlPlane || strings.HasPrefix(section, "4")); i++ {
						want = append(want, fmt.Sprintf("%s.%d", section, i))
					}
				}
				for _, k := range p.Checks(role, benchmark) {
					if k.Title == "" || k.Name == "" {
						t.Errorf("%s %s: %q says nothing", p.Name(), benchmark, k.ID)
					}
					if !strings.HasPrefix(k.ID, "C.") {
						have = append(have, k.ID)
					}
				}
				slices.Sort(want)
				slices.Sort(have)
				if !slices.Equal(want, have) {
					t.Errorf("%s %s %s:\nhave %v\nneed %v", p.Name(), benchmark, role, have, want)
				}
			}
		}
		if p.Checks(spec.Worker, "2.1") != nil {
			t.Errorf("%s has a table for a benchmark that nobody knows", p.Name())
		}
		if b := profiles.BenchmarkOf(p, "v1.36.2"); b != profiles.Newest {
			t.Errorf("%s is held to %q, need %s", p.Name(), b, profiles.Newest)
		}
	}
}

// TestLinesKeepTheirNames: an id is another line in another benchmark, a name is not.
func TestLinesKeepTheirNames(t *testing.T) {
	p := all()[0]
	at := func(benchmark, id string) string {
		for _, k := range p.Checks(spec.ControlPlane, benchmark) {
			if k.ID == id {
				return k.Name
			}
		}
		return "none"
	}
	for _, c := range [][3]string{
		{"1.9", "5.7.4", "5.6.4"}, {"1.10", "5.2.13", "5.2.12"}, {"1.11", "5.2.10", "5.2.9"}, {"1.12", "5.2.10", "5.2.10"},
		{"1.11", "5.2.9", "added-capabilities"}, {"1.9", "1.2.30", "none"}, {"1.11", "4.2.15", "ip-address-deny"}, {"1.12", "4.2.15", "none"}, {"1.9", "C.1", "C.1"},
	} {
		if have := at(c[0], c[1]); have != c[2] {
			t.Errorf("%s in %s is %s, need %s", c[1], c[0], have, c[2])
		}
	}
	var ids []string
	for _, k := range p.Checks(spec.ControlPlane, "1.9") {
		ids = append(ids, k.ID)
	}
	if a, b, c := slices.Index(ids, "1.2.9"), slices.Index(ids, "1.2.10"), slices.Index(ids, "C.1"); a < 0 || b != a+1 || c < slices.Index(ids, "5.7.4") {
		t.Errorf("have the order %v, need it by number, our own lines last", ids)
	}
}
