//go:build e2e

package scenarios

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/qemu-tests/vm"
)

var (
	isoFlag  = flag.String("iso", "", "the medium under test")
	outFlag  = flag.String("out", "", "folder for screens, logs, events and phase tables")
	diskFlag = flag.String("disk", "", "an installed disk of an earlier run of the same ISO (installed.img in its -out)")
	patience = flag.Float64("patience", 1, "multiplies every limit of time")
)

// Limits under emulation on a busy computer; a guest that is done goes on at once.
const (
	toInstaller = 15 * time.Minute // power-on to the installer's first event
	toMediaOK   = 20 * time.Minute // reading the whole medium once
	toInstalled = 40 * time.Minute
	toHealth    = 20 * time.Minute // power-on to the registry's answer
	toReady     = 60 * time.Minute
	toGivenUp   = 10 * time.Minute // firmware that finds nothing to start
	toShutdown  = 10 * time.Minute
)

const (
	diskSize   = 24 * size.GiB
	diskSerial = "CAISSONTEST1"
)

// TestMain checks the flags and makes the folder of results.
func TestMain(m *testing.M) {
	flag.Parse()
	if *isoFlag == "" {
		fmt.Fprintln(os.Stderr, "the scenarios need a medium: ... -args -iso demo.iso (caisson build makes one)")
		os.Exit(2)
	}
	if *outFlag == "" {
		dir, err := os.MkdirTemp("", "caisson-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		*outFlag = dir
	}
	if err := os.MkdirAll(*outFlag, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("results:", *outFlag)
	os.Exit(m.Run())
}

var errPatience = errors.New("the limit for this wait is over")

// within limits a wait, and leaves time to save what was seen before the test
// program's own time is over.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	d = time.Duration(float64(d) * *patience)
	if end, ok := t.Deadline(); ok {
		d = min(d, time.Until(end)-time.Minute)
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), d, errPatience)
	t.Cleanup(cancel)
	return ctx
}

// boot starts a machine. When the test ends the machine is killed if it still
// runs, and all that it showed is in the folder of results under the test's name.
func boot(t *testing.T, name string, c vm.Config) *vm.VM {
	t.Helper()
	c.Name = name
	// The machine outlives every wait; the end of the test kills it.
	v, err := vm.Start(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		dir := filepath.Join(*outFlag, filepath.FromSlash(t.Name()), strings.ReplaceAll(name, " ", "-"))
		if err := v.Save(ctx, dir); err != nil {
			t.Logf("not all of %s could be saved: %v", name, err)
		}
		v.Close()
		if bad := v.Events.Bad(); len(bad) > 0 {
			t.Errorf("%s: lines on the event port that are no events: %q", name, bad)
		}
		if err := os.RemoveAll(v.Config.Dir); err != nil {
			t.Error(err)
		}
	})
	return v
}

// optical is the medium in a drive.
func optical(path string) vm.Medium { return vm.Medium{Path: path, Attach: vm.Optical} }

// blankDisk is a new virtio disk in the test's own folder.
func blankDisk(t *testing.T, n size.Bytes) vm.Disk {
	t.Helper()
	return vm.Disk{Path: filepath.Join(t.TempDir(), "disk.img"), Size: n, Serial: diskSerial}
}

// answers makes the second medium: this ISO's first control-plane node of the
// roster, with consent to erase a blank disk, and more lines if given.
func answers(t *testing.T, attach vm.Attach, more ...string) vm.Medium {
	t.Helper()
	text := "apiVersion: caisson.dev/v1alpha1\nkind: Answers\nnode: " + inspect(t).node +
		"\nconfirm:\n  erase: any-blank\n" + strings.Join(more, "\n") + "\n"
	path := filepath.Join(t.TempDir(), "answers.iso")
	if err := vm.AnswersMedium(path, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return vm.Medium{Path: path, Attach: attach}
}

// codes are the error codes among events, each once, in order.
func codes(events []vm.Seen) []string {
	var out []string
	seen := map[string]bool{}
	for _, e := range events {
		if e.Name == "error" && !seen[e.Code] {
			seen[e.Code] = true
			out = append(out, e.Code)
		}
	}
	return out
}

// fromNode matches anything that the installed node says. The health gate
// speaks only on a boot that the loader counts: the first of a version. Later
// boots are told by what follows.
func fromNode(e event.Event) bool { return e.Source == "node" }

// find is the first event with that name.
func find(events []vm.Seen, name string) (vm.Seen, bool) {
	for _, e := range events {
		if e.Name == name {
			return e, true
		}
	}
	return vm.Seen{}, false
}

// refused runs an install that must end with an error and touch no disk. It
// returns what was said.
func refused(t *testing.T, name string, c vm.Config) []vm.Seen {
	t.Helper()
	v := boot(t, name, c)
	if _, err := v.WaitEvent(within(t, toInstaller), "the installer's start", vm.Named("start")); err != nil {
		t.Fatal(err)
	}
	done, before, err := v.WaitDone(within(t, toMediaOK))
	if err != nil {
		t.Fatal(err)
	}
	if done.Data["result"] != "failed" || len(codes(before)) == 0 {
		t.Errorf("have result %q and codes %v, want a refusal with its code", done.Data["result"], codes(before))
	}
	if step, ok := find(before, "step"); ok {
		t.Errorf("a refused install took a step: %s", step.Message)
	}
	v.Kill()
	for _, d := range c.Disks {
		untouched(t, d)
	}
	return before
}

// untouched fails unless the disk is as blank as it was made.
func untouched(t *testing.T, d vm.Disk) {
	t.Helper()
	blank, err := vm.Blank(d.Path)
	if err != nil {
		t.Fatal(err)
	}
	if !blank {
		t.Errorf("disk %s was written to, want every byte zero", d.Serial)
	}
}

// once shares a costly result between tests: the first that asks makes it, and
// who asks after a failure fails too.
type once[T any] struct {
	mu    sync.Mutex
	made  bool
	ok    bool
	value T
}

func (o *once[T]) get(t *testing.T, make func() T) T {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.made {
		o.made = true
		o.value = make() // t.Fatal in it leaves ok unset
		o.ok = true
	}
	if !o.ok {
		t.Fatal("what this test needs was tried by an earlier test and failed there")
	}
	return o.value
}
