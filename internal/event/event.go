// Package event is what a running step says of itself: one JSON object a line,
// the same on the virtio-serial port org.caisson.events (installer and node), on
// standard output of caisson-node install and ready under --json, and on standard
// error of caisson under --json, whose standard output is the result. Harness, TUI and rack
// automation read this and nothing else. A stream ends with a "done" event,
// whose data has the result, "ok" or "failed"; its absence means failure. No
// secret is ever put in an event. It is a leaf.
package event

import (
	"encoding/json"
	"io"
	"sync"
	"time"
)

// Event is one line.
type Event struct {
	Seq     int               `json:"seq"`               // from 1, no gaps within one stream
	Time    string            `json:"time"`              // RFC 3339, UTC
	Source  string            `json:"source"`            // "caisson", "installer" or "node"
	Name    string            `json:"name"`              // e.g. "media.check", "plan", "step", "ready", "error", "done"
	Message string            `json:"message,omitempty"` // for people
	Step    int               `json:"step,omitempty"`    // from 1, of Steps
	Steps   int               `json:"steps,omitempty"`
	Done    int64             `json:"done,omitempty"` // bytes done of Size
	Size    int64             `json:"size,omitempty"`
	Code    string            `json:"code,omitempty"` // the fault's code
	Data    map[string]string `json:"data,omitempty"`
}

// Sink takes events; safe for concurrent use.
type Sink func(Event)

// Discard drops events.
func Discard(Event) {}

// Lines writes each event as one JSON line to w, numbered and stamped.
// Write errors are dropped: a pulled cable must not stop an install.
func Lines(w io.Writer, source string) Sink {
	var mu sync.Mutex
	seq := 0
	return func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		seq++
		e.Seq, e.Source, e.Time = seq, source, time.Now().UTC().Format(time.RFC3339Nano)
		b, err := json.Marshal(e)
		if err != nil {
			return
		}
		_, _ = w.Write(append(b, '\n'))
	}
}

// Tee sends each event to every sink.
func Tee(sinks ...Sink) Sink {
	return func(e Event) {
		for _, s := range sinks {
			s(e)
		}
	}
}
