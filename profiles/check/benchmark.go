package check

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// edition is how a benchmark's ids differ from the newest one's, by which lines
// are named. A line that is not mentioned has the same id in all of them.
type edition struct {
	moved map[string]string // name -> id here
	lacks []string          // names that it has no line for
	// closed: it wants certificates readable by root alone, where later ones let
	// everybody read them.
	closed bool
}

// Names of lines that the newest benchmark does not have.
const (
	addedCapabilities = "added-capabilities"
	addressDeny       = "ip-address-deny"
)

// Up to 1.11 capabilities had one line more, which pushed those behind it on.
var withAdded = map[string]string{addedCapabilities: "5.2.9", "5.2.9": "5.2.10", "5.2.10": "5.2.11", "5.2.11": "5.2.12", "5.2.12": "5.2.13"}

// Up to 1.10 the general policies were 5.7.
var general = map[string]string{"5.6.1": "5.7.1", "5.6.2": "5.7.2", "5.6.3": "5.7.3", "5.6.4": "5.7.4"}

// editions are told apart by what tools that follow the benchmark publish; its own
// text is not free and not here. 1.9 and 1.10 number their lines alike, and so do
// 1.12 and 2.0 (kube-bench, pull request 2126).
var editions = map[string]edition{
	"1.9":  {moved: union(withAdded, general), lacks: []string{"1.2.30", "4.2.14", addressDeny}, closed: true},
	"1.10": {moved: union(withAdded, general), lacks: []string{"1.2.30", "4.2.14", addressDeny}, closed: true},
	"1.11": {moved: union(withAdded, map[string]string{addressDeny: "4.2.15"})},
	"1.12": {lacks: []string{addedCapabilities, addressDeny}},
	"2.0":  {lacks: []string{addedCapabilities, addressDeny}},
}

func union(list ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, m := range list {
		maps.Copy(out, m)
	}
	return out
}

// Certificates is a test of the most that a benchmark lets certificates' modes be.
func Certificates(benchmark string, patterns ...string) Test {
	if editions[benchmark].closed {
		return Mode(0o600, patterns...)
	}
	return Mode(0o644, patterns...)
}

// Table is a profile's lines as a benchmark has them: by its ids, in its order,
// without what it lacks, and with what a person has to judge. Lines that begin
// with C are the profile's own, and in every benchmark.
func Table(benchmark, role string, lines []profiles.Check) []profiles.Check {
	e, ok := editions[benchmark]
	if !ok {
		return nil
	}
	have := map[string]bool{}
	for _, l := range lines {
		have[l.Name] = true
	}
	var out []profiles.Check
	for _, l := range slices.Concat(lines, byHand(role, have)) {
		if slices.Contains(e.lacks, l.Name) {
			continue
		}
		l.ID = l.Name
		if id, ok := e.moved[l.Name]; ok {
			l.ID = id
		}
		out = append(out, l)
	}
	slices.SortStableFunc(out, func(a, b profiles.Check) int { return compareIDs(a.ID, b.ID) })
	return out
}

// compareIDs puts 1.2.10 behind 1.2.9, and lines of our own last.
func compareIDs(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(a, b string) int {
		x, errX := strconv.Atoi(a)
		y, errY := strconv.Atoi(b)
		switch {
		case errX == nil && errY == nil:
			return x - y
		case errX == nil:
			return -1
		case errY == nil:
			return 1
		}
		return strings.Compare(a, b)
	})
}

// byHand are the lines that no program of a profile judges, in our own words.
func byHand(role string, have map[string]bool) []profiles.Check {
	var out []profiles.Check
	add := func(list [][2]string) {
		for _, l := range list {
			if !have[l[0]] {
				out = append(out, Of(l[0], l[1], func(string) profiles.Result {
					return profiles.Result{Status: Manual, Have: ByHand, Want: "a person's judgement"}
				}))
			}
		}
	}
	add(onNodes)
	if role != spec.Worker {
		add(onServers)
	}
	return out
}

// ByHand is what a line has that no program looks at.
const ByHand = "not looked at by a program"
