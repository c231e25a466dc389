package scenarios

import (
	"fmt"
	"strings"
	"time"

	"caisson.dev/caisson/qemu-tests/vm"
)

// Boot is one power-on of the machine, as it was recorded.
type Boot struct {
	Name   string
	Events []vm.Seen
	Off    time.Duration // when the machine went off; 0 if it was left running
}

// Phase is a stretch of a boot between two events.
type Phase struct {
	Boot    string  `json:"boot"`
	Name    string  `json:"name"`
	Start   float64 `json:"start"`   // seconds since power-on
	Seconds float64 `json:"seconds"` // until the next phase
}

// Phases cuts boots into phases. A phase is named after what goes on in it: the
// firmware and kernel until the first event, then what each event says begins.
// Events that only report progress begin nothing; events that only say that
// something is over begin what comes next, which has no name of its own.
func Phases(boots []Boot) []Phase {
	var out []Phase
	for _, b := range boots {
		first := len(out)
		begin := func(name string, at time.Duration) {
			if n := len(out); n > first {
				out[n-1].Seconds = seconds(at) - out[n-1].Start
			}
			out = append(out, Phase{Boot: b.Name, Name: name, Start: seconds(at)})
		}
		begin("firmware, loader, kernel", 0)
		var last time.Duration
		for _, e := range b.Events {
			last = e.At
			if name := phaseName(e); name != "" {
				begin(name, e.At)
			}
		}
		if b.Off > 0 {
			last = b.Off
		}
		out[len(out)-1].Seconds = seconds(last) - out[len(out)-1].Start
	}
	return out
}

func phaseName(e vm.Seen) string {
	switch e.Name {
	case "progress", "media.check", "memory", "machine", "answers", "record", "error":
		return ""
	case "start":
		return "installer starts"
	case "media.begin":
		return "media check"
	case "media.ok":
		return "machine and plan"
	case "plan":
		return "consent"
	case "step":
		return fmt.Sprintf("install %d/%d: %s", e.Step, e.Steps, e.Data["kind"])
	case "wait":
		return e.Message
	case "health":
		return "boot is healthy, registry answers"
	case "node.ready":
		return "node Ready; workloads"
	case "ready":
		return "all ready; CIS table"
	case "done":
		return "done (" + e.Data["result"] + ")"
	}
	return e.Name
}

func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

// Table prints phases for people.
func Table(phases []Phase) string {
	var b strings.Builder
	boot := ""
	for _, p := range phases {
		if p.Boot != boot {
			boot = p.Boot
			fmt.Fprintf(&b, "%s\n%10s %10s  %s\n", boot, "at s", "takes s", "phase")
		}
		fmt.Fprintf(&b, "%10.1f %10.1f  %s\n", p.Start, p.Seconds, p.Name)
	}
	return b.String()
}
