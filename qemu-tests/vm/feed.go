package vm

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"caisson.dev/caisson/internal/event"
)

// Seen is an event and when the host read it, counted from the start of the
// process: guests have clocks of their own.
type Seen struct {
	event.Event
	At time.Duration `json:"at"` // nanoseconds
}

// Feed is all that came over a guest's event port, in order. It only grows.
type Feed struct {
	start time.Time
	log   io.Writer // every line as it came, or nil

	mu   sync.Mutex
	seen []Seen
	bad  []string      // lines that are no event
	more chan struct{} // closed and replaced when something is added
	end  error         // set when no more will come
}

// errFeedEnded is the plain end: the guest's side is gone.
var errFeedEnded = errors.New("the event port was closed")

// NewFeed has no events yet.
func NewFeed(start time.Time, log io.Writer) *Feed {
	return &Feed{start: start, log: log, more: make(chan struct{})}
}

// Read takes events from r until it ends. A line that is no event is kept in
// Bad; a last line without its end is what a power loss leaves, and is dropped.
func (f *Feed) Read(r io.Reader) {
	in := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			f.add(func() { f.end = errFeedEnded })
			return
		}
		if f.log != nil {
			_, _ = f.log.Write(line)
		}
		e, bad := parse(line)
		f.add(func() {
			if bad != nil {
				f.bad = append(f.bad, bad.Error())
				return
			}
			f.seen = append(f.seen, Seen{e, time.Since(f.start)})
		})
	}
}

// parse reads one line. An event without a name is none.
func parse(line []byte) (event.Event, error) {
	var e event.Event
	if err := json.Unmarshal(line, &e); err != nil {
		return e, fmt.Errorf("%q: %w", line, err)
	}
	if e.Name == "" {
		return e, fmt.Errorf("%q: have no name, need one", line)
	}
	return e, nil
}

func (f *Feed) add(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	close(f.more)
	f.more = make(chan struct{})
}

// All is a copy of the events so far.
func (f *Feed) All() []Seen {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Seen(nil), f.seen...)
}

// Bad lists the lines that were no events.
func (f *Feed) Bad() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.bad...)
}

// Match tells whether an event is the one waited for.
type Match func(event.Event) bool

// Named matches any of the names.
func Named(names ...string) Match {
	return func(e event.Event) bool {
		for _, n := range names {
			if e.Name == n {
				return true
			}
		}
		return false
	}
}

// Wait gives the first event from index from on that matches, past ones
// included, and the index behind it.
func (f *Feed) Wait(ctx context.Context, from int, match Match) (Seen, int, error) {
	for {
		f.mu.Lock()
		seen, end, more := f.seen, f.end, f.more
		f.mu.Unlock()
		for ; from < len(seen); from++ {
			if match(seen[from].Event) {
				return seen[from], from + 1, nil
			}
		}
		if end != nil {
			return Seen{}, from, end
		}
		select {
		case <-more:
		case <-ctx.Done():
			return Seen{}, from, context.Cause(ctx)
		}
	}
}
