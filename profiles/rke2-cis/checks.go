package rke2cis

import (
	"slices"

	"golang.org/x/mod/semver"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

// benchmarks is the CIS Kubernetes Benchmark that a line of RKE2 is assessed with,
// by the first line that has it (rke2-docs docs/security/hardening_guide.md). The
// ids of the lines that are checked here are the same in both.
var benchmarks = []struct{ from, name string }{
	{"v1.33", "CIS Kubernetes Benchmark 1.12"},
	{"v1.31", "CIS Kubernetes Benchmark 1.11"},
}

// Benchmark names the one for a version.
func (Profile) Benchmark(version string) string {
	for _, b := range benchmarks {
		if semver.Compare(semver.MajorMinor(version), b.from) >= 0 {
			return b.name
		}
	}
	return ""
}

// Unit is the unit that runs Kubernetes on a node of the role.
func (Profile) Unit(role string) string {
	n := node.Node{Version: release.Version{Product: release.RKE2}}
	if role == spec.Worker {
		n.Role = config.Agent
	}
	return n.Unit()
}

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
// node answers to a stranger. What needs a person's judgement is not here.
func (p Profile) Checks(role string) []profiles.Check {
	out := slices.Concat(nodeFiles(), kubelet(), p.live(role), kernel())
	if role != spec.Worker {
		out = slices.Concat(serverFiles(), apiServer(), controllers(), etcd(), audit(), out)
	}
	return out
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
