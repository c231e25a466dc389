package build

import (
	"context"
	"errors"
	"fmt"
	"io"

	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/fault"
)

// say is how a command ends: with its errors in words, or under --json as
// events, of which the last is always "done".
type say struct {
	w    io.Writer
	json bool
	sink event.Sink
}

func speak(w io.Writer, json bool) say {
	s := say{w: w, json: json, sink: event.Discard}
	if json {
		s.sink = event.Lines(w, "caisson")
	}
	return s
}

// ok ends a command that has no error to show.
func (s say) ok(status int) {
	result := "ok"
	if status != 0 {
		result = "failed"
	}
	s.sink(event.Event{Name: "done", Data: map[string]string{"result": result}})
}

// failed shows an error and gives its exit status. Joined errors are all shown.
func (s say) failed(err error) int {
	all := shown(err)
	code := ""
	for _, one := range all {
		e := event.Event{Name: "error", Message: one.Error()}
		var f *fault.Fault
		if errors.As(one, &f) {
			e.Code = f.Code
		}
		if code == "" {
			code = e.Code
		}
		s.sink(e)
		switch {
		case s.json:
		case e.Code == "" && len(all) == 1:
			fmt.Fprintf(s.w, "caisson: %v\n", one)
		default:
			fmt.Fprintf(s.w, "%v\n", one)
		}
	}
	s.sink(event.Event{Name: "done", Code: code, Data: map[string]string{"result": "failed"}})
	if code != "" && !s.json {
		fmt.Fprintf(s.w, "more: caisson explain %s\n", code)
	}
	return fault.ExitStatus(err)
}

// shown is the errors to show: those joined beside each other, not the causes
// that their text already holds. Words around a fault are dropped: its text
// begins with its code.
func shown(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, one := range joined.Unwrap() {
			out = append(out, shown(one)...)
		}
		return out
	}
	var f *fault.Fault
	if errors.As(err, &f) {
		return []error{f}
	}
	return []error{err}
}

// interrupted tells whether err is nothing but the end of ctx. A fault that says
// so in its own words stays, and so does a real error that came at the same
// moment.
func interrupted(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() == nil {
		return false
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			if !interrupted(ctx, one) {
				return false
			}
		}
		return true
	}
	if all := fault.All(err); len(all) > 0 && all[0].Class == fault.Stopped {
		return false
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx))
}
