//go:build e2e

package scenarios

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/qemu-tests/vm"
)

// story is one recorded install and first boot; the tests below read it.
type story struct {
	install, first Boot
	installExit    vm.Exit
	offExit        vm.Exit
	offErr         error
	disk           string // installed, kept in the folder of results
}

var installed once[story]

// theStory runs the main scenario, once for all tests.
func theStory(t *testing.T) story {
	t.Helper()
	return installed.get(t, func() story { return runStory(t) })
}

// installedDisk is a private copy of the disk that the main scenario installed,
// or of the one that -disk names.
func installedDisk(t *testing.T) vm.Disk {
	t.Helper()
	from := *diskFlag
	if from == "" {
		from = theStory(t).disk
	}
	d := vm.Disk{Path: filepath.Join(t.TempDir(), "disk.img"), Serial: diskSerial}
	if err := vm.CopySparse(d.Path, from); err != nil {
		t.Fatal(err)
	}
	return d
}

func runStory(t *testing.T) story {
	var s story
	s.disk = filepath.Join(*outFlag, "installed.img")
	if err := os.RemoveAll(s.disk); err != nil {
		t.Fatal(err)
	}
	disk := vm.Disk{Path: s.disk, Size: diskSize, Serial: diskSerial}

	v := boot(t, "install", vm.Config{
		Media: []vm.Medium{optical(*isoFlag), answers(t, vm.Optical, administrator)}, Disks: []vm.Disk{disk}, NoReboot: true,
	})
	for _, wait := range []struct {
		name  string
		limit time.Duration
	}{{"start", toInstaller}, {"media.ok", toMediaOK}, {"plan", toMediaOK}, {"done", toInstalled}} {
		e, err := v.WaitEvent(within(t, wait.limit), wait.name, vm.Named(wait.name))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%8.1f s  %s", e.At.Seconds(), wait.name)
		if wait.name == "plan" {
			picture(t, v, "installer.png")
		}
	}
	exit, err := v.Wait(within(t, toShutdown))
	if err != nil {
		t.Fatal(err)
	}
	s.installExit, s.install = exit, Boot{"install from the ISO", v.Events.All(), exit.After}

	v = boot(t, "first-boot", vm.Config{Disks: []vm.Disk{disk}})
	// A boot that loops says nothing: the first event has a limit of its own.
	last, limit := 0, toHealth
	for {
		e, next, err := v.WaitEventFrom(within(t, limit), last, "the node's next event", func(event.Event) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		last, limit = next, toReady
		t.Logf("%8.1f s  %s %s", e.At.Seconds(), e.Name, firstLine(e.Message))
		if e.Name == "error" {
			t.Fatalf("the node reports %s: %s", e.Code, e.Message)
		}
		if e.Name == "done" {
			break
		}
	}
	s.first = Boot{"first boot from the disk", v.Events.All(), 0}
	writeResults(t, s)
	picture(t, v, "ready.png")

	// The power button: a disk that was unmounted is what the other tests want.
	ctx := within(t, toShutdown)
	if s.offErr = v.PowerDown(ctx); s.offErr == nil {
		s.offExit, s.offErr = v.Wait(ctx)
	}
	return s
}

// picture keeps what a person in front of the machine sees at this moment.
func picture(t *testing.T, v *vm.VM, name string) {
	t.Helper()
	if err := v.Screendump(within(t, time.Minute), filepath.Join(*outFlag, name)); err != nil {
		t.Error(err)
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// writeResults keeps phases and the node's last word for the benchmarks.
func writeResults(t *testing.T, s story) {
	t.Helper()
	phases := Phases([]Boot{s.install, s.first})
	t.Logf("phases\n%s", Table(phases))
	ready, _ := find(s.first.Events, "ready")
	b, err := json.MarshalIndent(map[string]any{
		"iso": filepath.Base(*isoFlag), "release": inspect(t).manifest.Release, "phases": phases, "ready": ready.Data,
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*outFlag, "phases.json"), append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestBlankDiskToReadyNode: a machine with a blank disk, no network card, the
// ISO in its drive and answers on a second one becomes a Ready Kubernetes node.
func TestBlankDiskToReadyNode(t *testing.T) {
	s, m := theStory(t), inspect(t).manifest
	ready, _ := find(s.first.Events, "ready")

	t.Run("the medium is checked to the last byte before any step", func(t *testing.T) {
		order(t, s.install.Events, "start", "media.begin", "media.ok", "machine", "answers", "plan", "step", "done")
		ok, _ := find(s.install.Events, "media.ok")
		if ok.Data["release"] != m.Release {
			t.Errorf("have release %q, want the medium's %q", ok.Data["release"], m.Release)
		}
	})
	t.Run("every step of the plan is taken, in order", func(t *testing.T) {
		plan, _ := find(s.install.Events, "plan")
		var steps []int
		for _, e := range s.install.Events {
			if e.Name == "step" {
				steps = append(steps, e.Step)
			}
		}
		for i, n := range steps {
			if n != i+1 {
				t.Fatalf("have steps %v, want 1, 2, 3, ...", steps)
			}
		}
		if len(steps) == 0 || len(steps) != plan.Steps {
			t.Errorf("have %d steps, want the plan's %d", len(steps), plan.Steps)
		}
	})
	t.Run("the installer restarts the machine by itself", func(t *testing.T) {
		if s.installExit.Reason != "guest-reset" {
			t.Errorf("have %q, want guest-reset", s.installExit.Reason)
		}
	})
	t.Run("the disk boots without the medium and passes the health gate", func(t *testing.T) {
		if health, ok := find(s.first.Events, "health"); !ok || health.Data["slot"] != "a" {
			t.Errorf("have %+v, want a health event of slot a", health)
		}
		// The loader's counter is gone from the name: the boot was called good.
		if have, want := entries(t, s.disk), "caisson-"+m.OS.Version+".conf"; !slices.Equal(have, []string{want}) {
			t.Errorf("have entries %v, want %s", have, want)
		}
	})
	t.Run("the node is Ready and every carried workload runs", func(t *testing.T) {
		node, work := number(ready.Data["nodeReady"]), number(ready.Data["workloadsReady"])
		if node <= 0 || work < node {
			t.Errorf("have node Ready at %v s and workloads at %v s, want both, in this order", node, work)
		}
		if ready.Data["kubelet"] != "active" {
			t.Errorf("have kubelet %q, want active", ready.Data["kubelet"])
		}
	})
	t.Run("the registry on the node serves every carried image", func(t *testing.T) {
		if have := ready.Data["images"]; have != strconv.Itoa(len(m.Images)) || !strings.Contains(ready.Data["registry"], "answers at") {
			t.Errorf("have %s images and registry %q, want %d and an answer", have, ready.Data["registry"], len(m.Images))
		}
	})
	t.Run("no CIS check fails", func(t *testing.T) {
		t.Logf("CIS: %s", ready.Data["cis"])
		if !strings.Contains(ready.Data["cis"], "pass") || ready.Data["cis.fail"] != "" {
			t.Errorf("have %q with failures %q, want passes and no failure", ready.Data["cis"], ready.Data["cis.fail"])
		}
	})
	t.Run("the record of the install is on the node", func(t *testing.T) {
		if !strings.HasPrefix(ready.Data["record"], "sha256:") {
			t.Errorf("have record %q, want its digest", ready.Data["record"])
		}
	})
	t.Run("each stream ends with done", func(t *testing.T) {
		for _, b := range []Boot{s.install, s.first} {
			if last := b.Events[len(b.Events)-1]; last.Name != "done" || last.Data["result"] != "ok" {
				t.Errorf("%s: the last event is %s (%s), want done (ok)", b.Name, last.Name, last.Data["result"])
			}
		}
	})
	t.Run("the power button shuts the node down", func(t *testing.T) {
		if s.offErr != nil || s.offExit.Reason != "guest-shutdown" {
			t.Errorf("have %q, %v; want guest-shutdown", s.offExit.Reason, s.offErr)
		}
	})
	t.Run("secrets are encrypted on the disk, and the audit log is written", func(t *testing.T) { hardened(t, s.disk) })
	t.Run("the disk holds the logs of the workload's containers", func(t *testing.T) { workloadLogs(t, s.disk) })
}

// order fails unless the first events with these names come in this order.
func order(t *testing.T, events []vm.Seen, names ...string) {
	t.Helper()
	from := 0
	for _, n := range names {
		at := -1
		for i := from; i < len(events) && at < 0; i++ {
			if events[i].Name == n {
				at = i
			}
		}
		if at < 0 {
			t.Errorf("have no %s event behind event %d, want %v in order", n, from, names)
			return
		}
		from = at + 1
	}
}

func number(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return f
}
