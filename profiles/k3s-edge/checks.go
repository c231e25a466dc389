package k3sedge

import (
	"context"
	"slices"
	"time"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/spec"
)

// spans are the CIS Kubernetes Benchmarks that lines of K3s are assessed with, the
// one that a node is held to first (k3s-docs: security/self-assessment-1.12 names
// its lines; before them came -1.11). 2.0 has the same lines for 1.34 and later.
var spans = []profiles.Span{{Benchmark: "2.0", First: 34}, {Benchmark: "1.12", First: 32}, {Benchmark: "1.11", First: 29, Last: 31}}

// Benchmarks are those for a version.
func (Profile) Benchmarks(version string) []string { return profiles.Spanning(spans, version) }

// patience bounds a test; what is down on this node is refused at once.
const patience = 15 * time.Second

// Checks is the CIS table for the role: the ids are those of the CIS Kubernetes
// Benchmark as K3s's own self-assessment uses them (k3s-docs:
// security/self-assessment), the words are ours. K3s runs what the benchmark
// takes for pods as parts of one program: its flags are read out of config.yaml
// and its drop-ins as K3s reads them, and what it sets by itself must not be set
// otherwise there. Lines that begin with C are this profile's own: C.2 is the
// running kernel, from C.7 on the services are asked, from C.20 on it is what an
// edge relies on.
func (Profile) Checks(role, benchmark string) []profiles.Check {
	out := slices.Concat(nodeFiles(benchmark), kubeletLines(role), edgeLines(), kernelLines(), nodeLive())
	if role != spec.Worker {
		out = slices.Concat(serverFiles(benchmark), apiServerLines(), controllerLines(), etcdLines(), out, serverLive())
	}
	return check.Table(benchmark, role, out)
}

// live is a line of a table that asks the node's services.
func live(id, title string, test func(ctx context.Context, root string) profiles.Result) profiles.Check {
	return profiles.Check{Name: id, ID: id, Title: title, Run: func(ctx context.Context, root string) profiles.Result {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if err := ctx.Err(); err != nil {
			return check.Unreadable(err, "a finished check")
		}
		return test(ctx, root)
	}}
}

func kernelLines() []profiles.Check {
	all, err := host.Sysctls(false)
	if err != nil {
		return []profiles.Check{check.Of("C.2", "The settings of the kernel are known", func(string) profiles.Result {
			return check.Unreadable(err, "files that can be read")
		})}
	}
	var out []profiles.Check
	for _, s := range all {
		out = append(out, check.Of("C.2."+s.Name, "The running kernel has "+s.Name+" = "+s.Value, check.Kernel(s)))
	}
	return out
}
