// Package apply carries out a Confirmed plan, step by step, and writes down what
// it did. It decides nothing: what to write, where and in which order is in the
// plan; acting on the machine is package system's.
//
// The order is the safety. The first act wipes the disk's tables, the last one
// writes the new table, and in between no table on the disk names anything: the
// kernel is told of the partitions directly. So an install that stops at any
// point leaves a disk that does not boot and that the installer sees as blank;
// the next run starts again from the first step. A step that fails stops the
// install; nothing is undone, because nothing can be used.
package apply

import (
	"context"
	"fmt"
	"io"
	"time"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/installer/record"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/system"
	"caisson.dev/caisson/secrets"
)

// Deps is all that Run acts through.
type Deps struct {
	System  system.System
	Bundle  images.Reader                                                 // the verified medium
	Secrets *secrets.Set                                                  // opened; nil if the plan places none
	Probe   func() (machine.Machine, error)                               // asked once more before the first write
	Lay     func(root, storeDir string, entries []images.ViewEntry) error // images.Lay
	Events  event.Sink
	Journal io.Writer // one line as each step begins and ends; may be nil
	Now     func() time.Time
	Version string
	// Work is an empty folder in memory where the disk is mounted: /run/caisson/install.
	Work string
	// Ignition is the program that applies the configuration.
	Ignition string
}

// Run carries out the plan and returns the Record that it left on the node. On an error the disk does not
// boot, and everything that Run mounted is unmounted.
func Run(ctx context.Context, c plan.Confirmed, d Deps) (record.Record, error) {
	p := c.Plan()
	if err := checkSecrets(p.Secrets(), d.Secrets); err != nil {
		return record.Record{}, err
	}
	now, err := d.Probe()
	if err != nil {
		return record.Record{}, err
	}
	if err := c.Check(now); err != nil {
		return record.Record{}, err
	}
	r := &run{Deps: d, plan: p, record: record.New(c, now, d.Version, d.Now())}
	for i, s := range p.Steps {
		if err := r.step(ctx, i+1, s); err != nil {
			r.abandon()
			return record.Record{}, err
		}
	}
	return r.written, r.disk.Close()
}

// run is the state of one install.
type run struct {
	Deps
	plan    plan.Plan
	record  record.Record // so far
	written record.Record // as it is on the node
	disk    system.Disk
	nodes   map[string]string // partition name -> device file
	mounts  []string          // in the order they were made
	number  int               // of the step under way, from 1
	done    int64             // bytes of the step so far
	said    int64             // bytes of the last progress event
	saidAt  time.Time         // when it came
	size    int64
}

// step runs one step between its two journal lines.
func (r *run) step(ctx context.Context, number int, s plan.Step) error {
	if ctx.Err() != nil {
		return stopped(ctx)
	}
	begun := r.Now()
	r.number, r.done, r.said, r.saidAt, r.size = number, 0, 0, begun, s.Bytes()
	text := s.Text(r.plan)
	r.Events(event.Event{Name: "step", Step: number, Steps: len(r.plan.Steps), Size: r.size, Message: text, Data: map[string]string{"kind": string(s.Kind)}})
	r.journal("%s step %d of %d begins: %s: %s", record.Stamp(begun), number, len(r.plan.Steps), s.Kind, text)
	checked, err := r.do(ctx, s)
	if err != nil {
		r.journal("%s step %d failed: %v", record.Stamp(r.Now()), number, err)
		if ctx.Err() != nil {
			return stopped(ctx)
		}
		return err
	}
	end := r.Now()
	r.journal("%s step %d done", record.Stamp(end), number)
	r.record.Steps = append(r.record.Steps, record.Result{
		Step: number, Kind: s.Kind, Digest: s.Digest, Files: len(s.Files), Bytes: r.size, Checked: checked,
		Started: record.Stamp(begun), Seconds: end.Sub(begun).Round(time.Millisecond).Seconds(),
	})
	return nil
}

// do is the whole language of plans.
func (r *run) do(ctx context.Context, s plan.Step) (checked bool, err error) {
	switch s.Kind {
	case plan.Clear:
		return false, r.clear(s)
	case plan.Divide:
		return false, r.divide()
	case plan.MakeFS:
		return false, r.makeFS(ctx, s)
	case plan.WriteImage:
		return true, r.writeImage(ctx, s)
	case plan.StateTree:
		return false, r.stateTree(s)
	case plan.CopyFiles:
		return true, r.files(ctx, r.root(), s.Files)
	case plan.LayImages:
		return true, r.layImages(ctx, s)
	case plan.Configure:
		return false, r.configure(ctx, s)
	case plan.PlaceSecrets:
		return true, r.placeSecrets(ctx, s)
	case plan.WriteESP:
		return true, r.files(ctx, r.esp(), s.Files)
	case plan.Record:
		return true, r.writeRecord(ctx, s)
	case plan.BootEntry:
		return true, r.bootEntry(ctx, s)
	case plan.Activate:
		return true, r.activate()
	}
	return false, fmt.Errorf("cannot carry out a step of kind %q: this program does not know it", s.Kind)
}

// progress reports bytes: each fiftieth of a step, and each second of a slow one.
func (r *run) progress(n int64) {
	r.done += n
	now := r.Now()
	if r.done-r.said < max(r.size/50, 1<<20) && now.Sub(r.saidAt) < time.Second && r.done < r.size {
		return
	}
	r.said, r.saidAt = r.done, now
	r.Events(event.Event{Name: "progress", Step: r.number, Steps: len(r.plan.Steps), Done: r.done, Size: r.size})
}

func (r *run) journal(format string, args ...any) {
	if r.Journal != nil {
		fmt.Fprintf(r.Journal, format+"\n", args...)
	}
}

// abandon lets go of everything after a failure; the first error is the one
// that counts, so these are only written down.
func (r *run) abandon() {
	if err := r.unmountAll(); err != nil {
		r.journal("%v", err)
	}
	if r.disk != nil {
		if err := r.disk.Close(); err != nil {
			r.journal("%v", err)
		}
	}
}

func stopped(ctx context.Context) error {
	return Stopped.New("cannot finish the install: %w", context.Cause(ctx)).
		Hint("the disk does not boot now; run the installer again, it starts from the beginning")
}
