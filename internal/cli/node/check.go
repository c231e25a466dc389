package node

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"caisson.dev/caisson/installer/record"
	"caisson.dev/caisson/internal/newfile"
	"caisson.dev/caisson/internal/version"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

type checkCmd struct {
	CIS checkCISCmd `cmd:"" name:"cis" help:"Go through the profile's CIS table on this node, and keep the results beside its Record."`
}

type checkCISCmd struct {
	Benchmark string `placeholder:"VERSION" help:"Version of the CIS Kubernetes Benchmark to go by, as 1.9. Without it, the one for the version of Kubernetes."`

	JSON bool `help:"Machine-readable: one JSON value; an error as JSON lines that end with done."`
}

// Run prints the table and keeps it. It fails if a line fails that the Spec does
// not except; what a person has to judge (manual) fails nothing.
func (c checkCISCmd) Run(r *run) error {
	n, err := load(r.root)
	var benchmark string
	if err == nil {
		benchmark, err = n.choose(c.Benchmark)
	}
	if err != nil && c.JSON {
		return r.failed("node", err)
	}
	if err != nil {
		return err
	}
	a := assessment(r, n, benchmark, assess(r.ctx, r.root, n, benchmark))
	if c.JSON {
		b, err := a.JSON()
		if err == nil {
			_, err = r.out.Write(b)
		}
		if err != nil {
			return err
		}
	} else {
		fmt.Fprintf(r.out, "Node %s of enclave %s, %s\n", a.Node, a.Enclave, a.Role)
		fmt.Fprintf(r.out, "%s, by the table of the profile %s for Kubernetes %s\n", a.Benchmark, a.Profile, a.Kubernetes)
		writeTable(r.out, a.Checks)
		fmt.Fprintf(r.out, "%s\n", tally(a.Checks))
	}
	if err := keepResults(r.root, a); err != nil {
		return err
	}
	if failed := failures(a.Checks); len(failed) > 0 {
		return CISFailed.New("cannot call node %s hardened: have %d failed lines of its CIS table (%s), need none", a.Node, len(failed), strings.Join(failed, ", ")).
			Hint("a line that your site does not hold is an exception, with its reason: kubernetes.exceptions in the Spec")
	}
	return nil
}

// benchmark is the version of the benchmark that the node is held to, "" if its
// profile follows none.
func (n installed) benchmark() string {
	return profiles.BenchmarkOf(n.profile, n.enclave.Kubernetes.Version)
}

// choose is the benchmark that a person asks for, or the node's own. One that was
// not made for this Kubernetes may be asked for, and named says so.
func (n installed) choose(asked string) (string, error) {
	if asked == "" {
		return n.benchmark(), nil
	}
	if slices.Contains(profiles.Benchmarks, asked) {
		return asked, nil
	}
	return "", BenchmarkUnknown.New("cannot go by version %q of the CIS Kubernetes Benchmark: have the ids of %s, need one of these", asked, strings.Join(profiles.Benchmarks, ", ")).
		Hint("Kubernetes %s is held to %s; ids of another version are not guessed", n.enclave.Kubernetes.Version, n.benchmark())
}

// named is a benchmark as a person reads of it.
func (n installed) named(benchmark string) string {
	if benchmark == "" {
		return "no benchmark named"
	}
	name := "CIS Kubernetes Benchmark " + benchmark
	if v := n.enclave.Kubernetes.Version; !slices.Contains(profiles.BenchmarksOf(n.profile, v), benchmark) {
		name += " (not made for Kubernetes " + v + ")"
	}
	return name
}

// assess goes through the CIS table of the node's role.
func assess(ctx context.Context, root string, n installed, benchmark string) []record.Finding {
	reasons := n.excepted()
	var out []record.Finding
	for _, k := range n.profile.Checks(n.answers.Role, benchmark) {
		res := k.Run(ctx, root)
		f := record.Finding{ID: k.ID, Title: k.Title, Status: res.Status, Have: res.Have, Want: res.Want}
		// A line is excepted even where it would pass: a pass is what the node is held to.
		if reason, ok := reasons[k.Name]; ok {
			f.Found, f.Status, f.Reason = f.Status, record.Excepted, reason
		}
		out = append(out, f)
	}
	return out
}

// excepted are the lines that the Spec does not hold this node to, by name, with
// the reason. The Spec has the ids of the benchmark that the node is held to; by
// another one the exception stays with its line, and off the line that has its id.
func (n installed) excepted() map[string]string {
	out := map[string]string{}
	for _, k := range n.profile.Checks(n.answers.Role, n.benchmark()) {
		i := slices.IndexFunc(n.enclave.Kubernetes.Exceptions, func(x spec.Exception) bool { return x.ID == k.ID })
		if i >= 0 {
			out[k.Name] = n.enclave.Kubernetes.Exceptions[i].Reason
		}
	}
	return out
}

// assessment is the table as evidence.
func assessment(r *run, n installed, benchmark string, checks []record.Finding) record.Assessment {
	_, d, err := readRecord(r.root)
	if err != nil {
		d = "" // status says why
	}
	return record.Assessment{
		APIVersion: spec.APIVersion, Kind: "Assessment", Record: d, Caisson: version.Version,
		Enclave: n.enclave.Metadata.Name, Release: n.manifest.Release, Node: n.answers.Name, Role: n.answers.Role,
		Kubernetes: n.enclave.Kubernetes.Version, Profile: n.profile.Name(), Benchmark: n.named(benchmark),
		At: record.Stamp(r.now()), Checks: checks,
	}
}

// keepResults leaves the assessment on the node, beside its Record.
func keepResults(root string, a record.Assessment) error {
	b, err := a.JSON()
	if err != nil {
		return err
	}
	return newfile.Write(filepath.Join(root, record.AssessmentPath), func(f *os.File) error {
		_, err := f.Write(b)
		return err
	})
}

// writeTable prints the lines; both values where one fails, the reason where one
// is excepted.
func writeTable(w io.Writer, list []record.Finding) {
	for _, k := range list {
		fmt.Fprintf(w, "  %-14s %-8s %s\n", k.Status, k.ID, k.Title)
		if k.Status == record.Excepted {
			fmt.Fprintf(w, "  %-14s %-8s excepted: %s (found: %s)\n", "", "", k.Reason, k.Found)
		}
		if k.Status == "fail" || k.Found == "fail" {
			fmt.Fprintf(w, "  %-14s %-8s have %s, need %s\n", "", "", k.Have, k.Want)
		}
	}
}

// tally counts the table.
func tally(list []record.Finding) string {
	count := map[string]int{}
	for _, c := range list {
		count[c.Status]++
	}
	var parts []string
	for _, name := range []string{"pass", "fail", record.Excepted, "manual", "not-applicable"} {
		if count[name] > 0 {
			parts = append(parts, strconv.Itoa(count[name])+" "+name)
		}
	}
	return strings.Join(parts, ", ")
}

// failures are the ids of the lines that fail.
func failures(list []record.Finding) []string {
	var out []string
	for _, c := range list {
		if c.Status == "fail" {
			out = append(out, c.ID)
		}
	}
	return out
}
