package profiles

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/semver"
)

// Benchmarks are the versions of the CIS Kubernetes Benchmark whose ids are known
// (package check has them), oldest first. Ids of another one are not guessed.
var Benchmarks = []string{"1.9", "1.10", "1.11", "1.12", "2.0"}

// Newest is the one by whose ids lines are named.
const Newest = "2.0"

// Benchmarked is a profile whose CIS table follows versions of the CIS Kubernetes
// Benchmark.
type Benchmarked interface {
	// Benchmarks are those made for a version of Kubernetes, the one it is held to
	// first.
	Benchmarks(kubernetes string) []string
}

// BenchmarksOf are a profile's for a version of Kubernetes; none if it names none.
func BenchmarksOf(p Profile, kubernetes string) []string {
	if b, ok := p.(Benchmarked); ok {
		return b.Benchmarks(kubernetes)
	}
	return nil
}

// BenchmarkOf is the one that a profile's nodes are held to, "" if it names none.
func BenchmarkOf(p Profile, kubernetes string) string {
	if list := BenchmarksOf(p, kubernetes); len(list) > 0 {
		return list[0]
	}
	return ""
}

// Span is a benchmark and the minor versions of Kubernetes 1 that it was made for;
// the last of zero is any later one.
type Span struct {
	Benchmark   string
	First, Last int
}

// Spanning are the benchmarks for a version of Kubernetes, in the order of the list.
func Spanning(list []Span, kubernetes string) []string {
	minor, err := strconv.Atoi(strings.TrimPrefix(semver.MajorMinor(kubernetes), "v1."))
	if err != nil {
		return nil
	}
	var out []string
	for _, s := range list {
		if minor >= s.First && (s.Last == 0 || minor <= s.Last) && !slices.Contains(out, s.Benchmark) {
			out = append(out, s.Benchmark)
		}
	}
	return out
}
