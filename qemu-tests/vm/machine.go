package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"time"

	"caisson.dev/caisson/internal/event"
)

// tailLines is how much of the serial line an error shows.
const tailLines = 12

// Exit is how a machine ended.
type Exit struct {
	// Reason is QEMU's ShutdownCause (qapi/run-state.json): "guest-shutdown",
	// "guest-reset" (with NoReboot), "host-qmp-quit"; "killed" for a power loss;
	// empty when QEMU said nothing.
	Reason string        `json:"reason"`
	Status int           `json:"status"` // of the process, -1 for a signal
	After  time.Duration `json:"after"`  // since the start, nanoseconds
}

// Wait waits until the machine is off.
func (v *VM) Wait(ctx context.Context) (Exit, error) {
	select {
	case <-v.exited:
	case <-ctx.Done():
		return Exit{}, v.silent(ctx, "the machine to go off")
	}
	<-v.QMP.closed // its last words
	v.mu.Lock()
	defer v.mu.Unlock()
	return Exit{v.reason, v.status, v.after}, nil
}

// WaitEvent gives the first event of this machine that matches, past ones
// included. It fails when the guest goes off, stays silent until ctx ends, or
// reports an error that does not match: what comes behind an error is not worth
// an hour.
func (v *VM) WaitEvent(ctx context.Context, what string, match Match) (Seen, error) {
	s, _, err := v.Events.Wait(ctx, 0, func(e event.Event) bool { return e.Name == "error" || match(e) })
	if err == nil && !match(s.Event) {
		return s, GuestError.New("cannot see %s: have an error from the %s, need none: %s: %s", what, s.Source, s.Code, s.Message)
	}
	return s, v.explain(ctx, what, err)
}

// WaitEventFrom gives the first event from index from on that matches, errors
// being events like others, and the index behind it.
func (v *VM) WaitEventFrom(ctx context.Context, from int, what string, match Match) (Seen, int, error) {
	s, next, err := v.Events.Wait(ctx, from, match)
	return s, next, v.explain(ctx, what, err)
}

// WaitDone gives the event that closes the first stream of this machine, for a
// guest that may or should fail, and all events before it.
func (v *VM) WaitDone(ctx context.Context) (done Seen, before []Seen, err error) {
	done, next, err := v.Events.Wait(ctx, 0, Named("done"))
	if err != nil {
		return done, v.Events.All(), v.explain(ctx, "the done event", err)
	}
	return done, v.Events.All()[:next-1], nil
}

// WaitSerial gives the first match within one line of the serial text.
func (v *VM) WaitSerial(ctx context.Context, re *regexp.Regexp) (string, error) {
	text, _, err := v.WaitSerialFrom(ctx, 0, re)
	return text, err
}

// WaitSerialFrom is WaitSerial behind a byte offset of the text; it also gives
// the offset behind the match.
func (v *VM) WaitSerialFrom(ctx context.Context, from int, re *regexp.Regexp) (string, int, error) {
	text, next, err := v.Serial.Wait(ctx, from, re)
	return text, next, v.explain(ctx, "the serial text "+re.String(), err)
}

// explain turns the end of a stream or of patience into a fault with the last
// lines that the guest printed.
func (v *VM) explain(ctx context.Context, what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errFeedEnded) || errors.Is(err, errSerialEnded):
		// The streams close a moment before the process is gone.
		exit, waitErr := v.Wait(ctx)
		if waitErr != nil {
			return waitErr
		}
		return GuestStopped.New("cannot see %s: have a machine that went off after %s (%s), need it running; last lines:\n%s",
			what, exit.After.Round(time.Second), whyOff(exit), v.Serial.Tail(tailLines))
	}
	return v.silent(ctx, what)
}

func whyOff(e Exit) string {
	if e.Reason != "" {
		return e.Reason
	}
	return fmt.Sprintf("exit status %d", e.Status)
}

func (v *VM) silent(ctx context.Context, what string) error {
	return GuestSilent.New("cannot see %s: have waited %s (%w), need it sooner; last lines:\n%s",
		what, time.Since(v.started).Round(time.Second), context.Cause(ctx), v.Serial.Tail(tailLines)).
		Hint("a busy computer without KVM needs more patience")
}

// Resets counts how often the guest, its firmware included, has restarted the
// machine.
func (v *VM) Resets() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.resets
}

// WriteSerial types on the serial line.
func (v *VM) WriteSerial(b []byte) error {
	_, err := v.serial.Write(b)
	return err
}

// Kill is a power loss: SIGKILL, no flush, no goodbye. It returns when the
// process is gone.
func (v *VM) Kill() {
	if v.process == nil {
		return
	}
	// The only error is that the process has ended already.
	_ = v.process.Kill()
	<-v.exited
}

// Close kills the machine if it runs, and lets go of sockets and logs. Events
// and serial text stay readable.
func (v *VM) Close() {
	v.Kill()
	for _, c := range v.closers {
		_ = c.Close()
	}
	for _, name := range []string{serialSocket, eventSocket, qmpSocket} {
		_ = os.Remove(v.Config.file(name))
	}
}
