package node

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/profiles"
)

type readyCmd struct {
	JSON bool `help:"Machine-readable: events as JSON lines."`
}

// Run waits for the node, then for what it was brought to run. Its stream ends
// with "done"; the "ready" event before it says how long each part took.
func (c readyCmd) Run(r *run) (err error) {
	v := r.speak("node", c.JSON)
	data := map[string]string{}
	defer func() { v.done(err, data) }()
	n, err := load(r.root)
	if err != nil {
		return err
	}
	report := func(what string) {
		v.sink(event.Event{Name: "wait", Message: what, Data: map[string]string{"uptime": uptime(r.root)}})
	}
	err = bring(r.ctx, n.profile, filepath.Join(r.root, bundle.NodeManifests), report, func() {
		data["node"], data["nodeReady"] = n.answers.Name, uptime(r.root)
		v.sink(event.Event{Name: "node.ready", Message: "node " + n.answers.Name + " is Ready", Data: map[string]string{"uptime": data["nodeReady"]}})
	})
	if err != nil {
		return err
	}
	data["workloadsReady"] = uptime(r.root)
	s := look(r, n)
	if err := keepResults(r.root, assessment(r, n, n.benchmark(), s.CIS)); err != nil {
		return err
	}
	for k, val := range s.data() {
		data[k] = val
	}
	v.sink(event.Event{Name: "ready", Message: screen(s), Data: data})
	return nil
}

// bring waits for the node and then for what it is to run. A pod network that the
// site carries comes before the node: without one it is never Ready.
func bring(ctx context.Context, p profiles.Profile, dir string, report func(string), ready func()) error {
	if c, ok := p.(profiles.NetworkCarrier); ok {
		if err := c.CarryNetwork(dir); err != nil {
			return err
		}
	}
	if err := p.Ready(ctx, report); err != nil {
		return err
	}
	ready()
	d, ok := p.(profiles.Deployer)
	if !ok {
		return nil
	}
	if err := d.ApplyManifests(ctx, dir, report); err != nil {
		return err
	}
	return d.WaitWorkloads(ctx, dir, report)
}

// uptime is the seconds since the kernel started, with two decimals.
func uptime(root string) string {
	b, err := os.ReadFile(filepath.Join(root, "proc/uptime"))
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(b), " ")
	return strings.TrimSpace(first)
}

// screen is what the console shows of a node that is ready.
func screen(s state) string {
	var b strings.Builder
	rule := strings.Repeat("=", 72)
	fmt.Fprintf(&b, "\n%s\n", rule)
	if s.Classification != "" {
		fmt.Fprintf(&b, "  %s\n", s.Classification)
	}
	fmt.Fprintf(&b, "  Node %s of enclave %s is READY\n%s\n", s.Node, s.Enclave, rule)
	writeState(&b, s)
	fmt.Fprintf(&b, "%s\n", rule)
	return b.String()
}

func writeState(w io.Writer, s state) {
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "  %-11s %s\n", name, value)
		}
	}
	line("release", s.Release)
	line("node OS", s.OS+", slot "+strings.ToUpper(s.Slot))
	line("Kubernetes", s.Kubernetes+", profile "+s.Profile+", role "+s.Role)
	line("address", strings.Join(s.Addresses, ", "))
	line("registry", s.Registry)
	line(strings.TrimSuffix(s.Unit, ".service"), s.Kubelet)
	line("cluster", s.Cluster)
	line("images", strconv.Itoa(s.Images)+" carried")
	line("CIS", tally(s.CIS))
	line("record", s.Record)
	line("up", since(s.Uptime))
}

func since(seconds string) string {
	f, err := strconv.ParseFloat(seconds, 64)
	if err != nil {
		return ""
	}
	return time.Duration(f * float64(time.Second)).Round(time.Second).String()
}
