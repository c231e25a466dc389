package apply_test

import (
	"context"
	"testing"
	"time"

	"caisson.dev/caisson/installer/apply"
	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/internal/event"
)

// TestSlowStepIsReported: a piece that took a second is an event, however little
// of the step it is; on a quick disk only each MiB is.
func TestSlowStepIsReported(t *testing.T) {
	m := installtest.Machine()
	b := newBench(t, m, installtest.OSImage(1<<20))
	events := func(perCall time.Duration) (n int) {
		sys := newFake(t)
		d := b.deps(sys, m)
		at := time.Unix(1790000000, 0)
		d.Now = func() time.Time { at = at.Add(perCall); return at }
		d.Events = func(e event.Event) {
			if e.Name == "progress" && e.Step == 7 { // three small files of the payload
				n++
			}
		}
		if _, err := apply.Run(context.Background(), b.confirmed, d); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if slow, quick := events(time.Second), events(0); slow < 3 || quick >= slow {
		t.Errorf("have %d events of a slow disk and %d of a quick one", slow, quick)
	}
}
