package event

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"
)

// lines reads a stream back, one event a line.
func lines(t *testing.T, b []byte) []Event {
	t.Helper()
	var out []Event
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		var e Event
		if err := json.Unmarshal(s.Bytes(), &e); err != nil {
			t.Fatalf("%v in %q", err, s.Text())
		}
		out = append(out, e)
	}
	return out
}

func TestStreamIsNumberedAndStamped(t *testing.T) {
	var b bytes.Buffer
	sink := Lines(&b, "installer")
	sink(Event{Name: "plan", Message: "two\nlines", Seq: 99, Source: "other"})
	sink(Event{Name: "step", Step: 1, Steps: 3, Done: 5, Size: 10, Data: map[string]string{"k": "v"}})
	sink(Event{Name: "done"})
	got := lines(t, b.Bytes())
	if len(got) != 3 {
		t.Fatalf("have %d lines, want 3: %s", len(got), &b)
	}
	for i, e := range got {
		if e.Seq != i+1 || e.Source != "installer" {
			t.Errorf("line %d is %+v", i+1, e)
		}
		if at, err := time.Parse(time.RFC3339Nano, e.Time); err != nil || at.Location() != time.UTC {
			t.Errorf("line %d is stamped %q: %v", i+1, e.Time, err)
		}
	}
	if got[0].Message != "two\nlines" || got[1].Data["k"] != "v" || got[1].Steps != 3 {
		t.Errorf("content is lost: %+v", got)
	}
}

// TestManyWriters: each line is whole and numbers have no gaps, whoever writes.
func TestManyWriters(t *testing.T) {
	var b bytes.Buffer
	sink := Lines(&b, "node")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				sink(Event{Name: "step"})
			}
		})
	}
	wg.Wait()
	got := lines(t, b.Bytes())
	if len(got) != 400 {
		t.Fatalf("have %d lines, want 400", len(got))
	}
	for i, e := range got {
		if e.Seq != i+1 {
			t.Fatalf("line %d has number %d", i+1, e.Seq)
		}
	}
}

type pulled struct{}

func (pulled) Write([]byte) (int, error) { return 0, errors.New("pulled") }

func TestPulledCableStopsNothing(t *testing.T) {
	var seen []string
	var b bytes.Buffer
	sink := Tee(Lines(pulled{}, "a"), Discard, func(e Event) { seen = append(seen, e.Name) }, Lines(&b, "b"))
	sink(Event{Name: "one"})
	sink(Event{Name: "two"})
	if len(seen) != 2 || len(lines(t, b.Bytes())) != 2 {
		t.Errorf("have %v and %s", seen, &b)
	}
}
