package progress

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/internal/event"
)

// clock steps by hand.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func TestLinesAreFewAndEndOnce(t *testing.T) {
	var out bytes.Buffer
	c := &clock{at: time.Unix(1e9, 0)}
	r := New(&out)
	r.now = c.now
	for done := int64(0); done <= 100<<20; done += 1 << 20 {
		r.Report("download", done, 100<<20)
		c.at = c.at.Add(time.Second)
	}
	r.Report("download", 100<<20, 100<<20) // again: said already
	r.Report("packages", 0, 40)
	c.at = c.at.Add(10 * time.Second)
	r.Report("packages", 20, 40)
	r.Report("lock", 1, 1)
	r.Close()
	text := out.String()
	if n := strings.Count(text, "download: done, 100.0 MiB in 1m40s\n"); n != 1 {
		t.Errorf("have %d ends of the download, want 1:\n%s", n, text)
	}
	if n := strings.Count(text, "download"); n > 8 {
		t.Errorf("have %d lines in 100 s, want 8 or fewer:\n%s", n, text)
	}
	for _, want := range []string{"1.0 MiB/s", "packages: 20 of 40, 10s left\n", "lock: done in 0s\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("have no %q in:\n%s", want, text)
		}
	}
}

func TestEventsUnderJSON(t *testing.T) {
	var out bytes.Buffer
	r := Events(event.Lines(&out, "caisson"))
	r.Report("iso", 5, 10)
	r.Note("hello %d", 1)
	r.Close()
	for _, want := range []string{`"name":"progress"`, `"message":"iso"`, `"done":5`, `"message":"hello 1"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("have no %s in %s", want, out.String())
		}
	}
}
