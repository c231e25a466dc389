package node

import (
	"fmt"
	"io"
	"sync"
	"time"

	"caisson.dev/caisson/internal/event"
)

// voice is where a command speaks: events to the port, the same as plain lines
// to its output and to the other consoles. Its stream always ends with "done".
type voice struct {
	sink   event.Sink
	port   io.Closer
	others []io.WriteCloser
	once   sync.Once
	wrote  bool // an install has begun with its first step
}

// steps is the sink for an install's own events.
func (v *voice) steps(e event.Event) {
	v.wrote = v.wrote || e.Name == "step"
	v.sink(e)
}

// speak opens the voice of a command; source is "installer" or "node". With
// asJSON the output carries events, else lines.
func (r *run) speak(source string, asJSON bool) *voice {
	own := plain(r.out, r.now)
	if asJSON {
		own = event.Lines(r.out, source)
	}
	others := r.env.Consoles()
	sinks := []event.Sink{own}
	for _, c := range others {
		sinks = append(sinks, plain(c, r.now))
	}
	v := r.voiceOf(source, sinks...)
	v.others = others
	return v
}

// voiceOf speaks to the event port and to these.
func (r *run) voiceOf(source string, sinks ...event.Sink) *voice {
	v := &voice{}
	if port := r.env.Port(); port != nil {
		v.port = port
		sinks = append([]event.Sink{event.Lines(port, source)}, sinks...)
	}
	v.sink = event.Tee(sinks...)
	return v
}

// done ends the stream, once: with the error's events first, if there is one.
func (v *voice) done(err error, data map[string]string) {
	v.once.Do(func() {
		e := event.Event{Name: "done", Data: data}
		if e.Data == nil {
			e.Data = map[string]string{}
		}
		e.Data["result"] = "ok"
		if err != nil {
			e.Data["result"] = "failed"
			for _, one := range errorEvents(err) {
				v.sink(one)
				if e.Code == "" {
					e.Code = one.Code
				}
			}
		}
		v.sink(e)
		if v.port != nil {
			_ = v.port.Close()
		}
		for _, c := range v.others {
			_ = c.Close()
		}
	})
}

// failed ends a command that speaks no events, under --json: its output is the
// error as events and "done", as everywhere. It returns the error.
func (r *run) failed(source string, err error) error {
	v := &voice{sink: event.Lines(r.out, source)}
	v.done(err, nil)
	return err
}

// plain prints events for people: a line for each, but progress only now and then.
func plain(w io.Writer, now func() time.Time) event.Sink {
	var mu sync.Mutex
	p := &pace{w: w, now: now}
	return func(e event.Event) {
		mu.Lock()
		defer mu.Unlock()
		switch e.Name {
		case "progress", "media.check":
			p.tell(e)
		case "media.begin":
			p.begin()
			fmt.Fprintln(w, e.Message)
		case "step":
			p.begin()
			fmt.Fprintf(w, "[%d/%d] %s\n", e.Step, e.Steps, e.Message)
		case "error":
			fmt.Fprintf(w, "\n%s\n\n", e.Message)
		case "done":
			fmt.Fprintf(w, "caisson: done (%s)\n", e.Data["result"])
		default:
			if e.Message != "" {
				fmt.Fprintln(w, e.Message)
			}
		}
	}
}
