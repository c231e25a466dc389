package progress

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/internal/event"
	"github.com/vbauerster/mpb/v8"
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

// A piece of work that says which step it is at stays one piece of work.
func TestStepsShareOneName(t *testing.T) {
	var out, events bytes.Buffer
	c := &clock{at: time.Unix(1e9, 0)}
	plain, json := New(&out), Events(event.Lines(&events, "caisson"))
	for i, step := range []string{"compiling a", "compiling b", "compiling c", "compiling d"} {
		for _, r := range []*Reporter{plain, json} {
			r.now = c.now
			r.Report("kubernetes: "+step, int64(i+1), 0)
		}
		c.at = c.at.Add(10 * time.Second)
	}
	plain.Report("kubernetes", 1, 1)
	plain.Close()
	want := "kubernetes (compiling a)\nkubernetes: 2, 10s so far (compiling b)\nkubernetes: 3, 20s so far (compiling c)\nkubernetes: done in 40s\n"
	if out.String() != want {
		t.Errorf("have %q, need %q", out.String(), want)
	}
	if n := strings.Count(events.String(), `"message":"kubernetes"`); n != 4 || !strings.Contains(events.String(), `"data":{"step":"compiling c"}`) {
		t.Errorf("have %d events named kubernetes, need 4, with their step:\n%s", n, events.String())
	}
}

// On a terminal there is one bar, with the step beside it.
func TestStepsShareOneBar(t *testing.T) {
	var out bytes.Buffer
	show := &bars{p: mpb.New(mpb.WithOutput(&out), mpb.WithAutoRefresh(), mpb.WithWidth(120)), bars: map[string]*bar{}}
	r := New(&out)
	r.show = show
	c := &clock{at: time.Unix(1e9, 0)}
	r.now = c.now
	for i, step := range []string{"compiling a", "compiling b", "compiling c"} {
		r.Report("kubernetes: "+step, int64(i+1), 0)
		c.at = c.at.Add(10 * time.Second)
		time.Sleep(200 * time.Millisecond) // the bar is drawn by a clock of its own
	}
	if len(show.bars) != 1 {
		t.Errorf("have %d bars, need 1", len(show.bars))
	}
	r.Close()
	for _, want := range []string{"kubernetes", "compiling b", " 3 "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("have no %q in %q", want, out.String())
		}
	}
}

// What is looked up and then fetched under one name is seen both times; a late
// report of what has ended is not.
func TestANewTotalIsNewWork(t *testing.T) {
	var out bytes.Buffer
	c := &clock{at: time.Unix(1e9, 0)}
	r := New(&out)
	r.now = c.now
	for _, x := range []struct{ done, total int64 }{{0, 1}, {1, 1}, {0, 1}, {1, 1}, {1 << 20, 8 << 20}, {4 << 20, 8 << 20}, {8 << 20, 8 << 20}, {4 << 20, 8 << 20}} {
		r.Report("image", x.done, x.total)
		c.at = c.at.Add(10 * time.Second)
	}
	r.Close()
	want := "image\nimage: done in 10s\nimage\nimage: 4.0 MiB of 8.0 MiB, 409.6 KiB/s, 10s left\nimage: done, 8.0 MiB in 20s\n"
	if out.String() != want {
		t.Errorf("have %q, need %q", out.String(), want)
	}
}
