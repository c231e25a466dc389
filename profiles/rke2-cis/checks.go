package rke2cis

import (
	"slices"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

// spans are the CIS Kubernetes Benchmarks that lines of RKE2 are assessed with, the
// one that a node is held to first (rke2-docs docs/security/hardening_guide.md, which
// ends with 1.12). 2.0 has the same lines for 1.34 and later.
var spans = []profiles.Span{
	{Benchmark: "2.0", First: 34}, {Benchmark: "1.12", First: 33}, {Benchmark: "1.11", First: 29, Last: 32}, {Benchmark: "1.10", First: 28, Last: 31}, {Benchmark: "1.9", First: 27, Last: 29},
}

// Benchmarks are those for a version.
func (Profile) Benchmarks(version string) []string { return profiles.Spanning(spans, version) }

// Where RKE2 keeps what the tables look at.
const (
	data      = "/var/lib/rancher/rke2"
	server    = data + "/server/"
	agent     = data + "/agent/"
	manifests = agent + "pod-manifests/"
)

const pods = check.Pods(manifests)

// Checks is the CIS table for the role, ids of the benchmark and our own words.
// Lines that begin with C are this profile's own: the running kernel, and what a
// node answers to a stranger.
func (p Profile) Checks(role, benchmark string) []profiles.Check {
	out := slices.Concat(nodeFiles(benchmark), kubelet(), p.live(role), kernel())
	if role != spec.Worker {
		out = slices.Concat(serverFiles(benchmark), apiServer(), controllers(), etcd(), audit(), check.Namespaces(node.AdminConf(release.RKE2), admission), out)
	}
	return check.Table(benchmark, role, out)
}

// kernel is one line for each setting that every node has, whatever its network.
func kernel() []profiles.Check {
	all, err := host.Sysctls(true)
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
