package kubeadm

import (
	"context"
	"slices"
	"time"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
	"caisson.dev/caisson/spec"
)

// The statuses of a result.
const (
	pass   = check.Pass
	fail   = check.Fail
	manual = check.Manual
)

// kubeletConfig is the kubelet's configuration as kubeadm writes it.
const kubeletConfig = "/var/lib/kubelet/config.yaml"

type test = check.Test

var (
	mode, owner         = check.Mode, check.Owner
	verdict, unreadable = check.Verdict, check.Unreadable
)

// line is one line of a table.
type line struct {
	id, title string
	test      test
}

// liveTest asks a live node's services, and reads its files below root. What
// does not answer in time fails.
type liveTest func(ctx context.Context, root string) profiles.Result

// liveLine is one line of a table that needs the node's services.
type liveLine struct {
	id, title string
	test      liveTest
}

// patience bounds a live test: long enough for a loaded, emulated machine, and
// what is down on this node is refused at once.
const patience = 15 * time.Second

// spans are the CIS Kubernetes Benchmarks for lines of Kubernetes, the one that a
// node is held to first. The newest goes on for those that it does not name yet: 2.0
// itself names 1.34 and 1.35 (kube-bench, issues 1964 and 2124).
var spans = []profiles.Span{{Benchmark: "2.0", First: 34}, {Benchmark: "1.12", First: 32, Last: 34}, {Benchmark: "1.11", First: 29, Last: 32}}

// Benchmarks are those for a version.
func (Profile) Benchmarks(version string) []string { return profiles.Spanning(spans, version) }

// Checks is the CIS table for the role: the ids are those of the CIS Kubernetes
// Benchmark, the words are ours. Lines that begin with C are this profile's own,
// on what the benchmark takes for granted: C.2 is the running kernel, one line for
// each setting, and from C.7 on the node's services are asked what the files only
// promise.
func (p Profile) Checks(role, benchmark string) []profiles.Check {
	lines := slices.Concat(nodeFiles(benchmark), kubeletLines(), kernelLines())
	if role != spec.Worker {
		lines = slices.Concat(controlPlaneFiles(benchmark), apiServerLines(), controllerLines(), etcdLines(), lines)
	}
	out := make([]profiles.Check, 0, len(lines))
	for _, l := range lines {
		out = append(out, check.Of(l.id, l.title, l.test))
	}
	for _, l := range p.liveLines(role) {
		out = append(out, profiles.Check{Name: l.id, ID: l.id, Title: l.title, Run: func(ctx context.Context, root string) profiles.Result {
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			return l.test(ctx, root)
		}})
	}
	return check.Table(benchmark, role, out)
}
