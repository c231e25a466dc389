package node

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/event"
)

// clock steps by hand.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// TestPace reads 716 MiB at 4 MiB a second, with a stall, then a step that is quick.
func TestPace(t *testing.T) {
	const mib = 1 << 20
	c := &clock{at: time.Unix(1e9, 0)}
	var out bytes.Buffer
	sink := plain(&out, c.now)
	read := func(done, size int64, took time.Duration) {
		c.at = c.at.Add(took)
		sink(event.Event{Name: "media.check", Done: done * mib, Size: size * mib})
	}
	sink(event.Event{Name: "media.begin", Message: "checking the medium"})
	for done := int64(4); done < 48; done += 4 {
		read(done, 716, time.Second)
	}
	read(48, 716, 29*time.Second) // the stick thinks
	for done := int64(52); done <= 716; done += 4 {
		read(done, 716, time.Second)
	}
	sink(event.Event{Name: "step", Step: 1, Steps: 1, Message: "write"})
	for done := int64(1); done <= 100; done++ {
		c.at = c.at.Add(time.Millisecond)
		sink(event.Event{Name: "progress", Step: 1, Steps: 1, Done: done * mib, Size: 100 * mib})
	}
	want := `checking the medium
     5 %  40.0 MiB of 716.0 MiB, 4.0 MiB/s, 2 min 49 s left
     6 %  48.0 MiB of 716.0 MiB, 1.2 MiB/s, 9 min 17 s left
    10 %  72.0 MiB of 716.0 MiB, 1.6 MiB/s, 6 min 52 s left
`
	if !strings.HasPrefix(out.String(), want) {
		t.Errorf("have\n%swant at first\n%s", out.String(), want)
	}
	end := `   100 %  716.0 MiB of 716.0 MiB, 3.5 MiB/s, took 3 min 27 s
[1/1] write
   100 %  100.0 MiB of 100.0 MiB, 1000.0 MiB/s, took 1 s
`
	if !strings.HasSuffix(out.String(), end) {
		t.Errorf("have\n%swant at last\n%s", out.String(), end)
	}
	if strings.ContainsAny(out.String(), "\r\x1b") {
		t.Errorf("the lines move a cursor: %q", out.String())
	}
}

// TestPaceNeverSilent: whatever the speed, lines are ten seconds or less apart,
// or a tenth of the work, and few.
func TestPaceNeverSilent(t *testing.T) {
	for _, perSecond := range []int64{1, 7, 100, 5000} {
		c := &clock{at: time.Unix(1e9, 0)}
		var out bytes.Buffer
		sink := plain(&out, c.now)
		sink(event.Event{Name: "media.begin"})
		seen, at, from, seconds := 0, c.at, int64(0), int64(0)
		for done := int64(0); done < 4000; {
			c.at, seconds = c.at.Add(time.Second), seconds+1
			done = min(done+perSecond, 4000)
			sink(event.Event{Name: "media.check", Done: done, Size: 4000})
			if n := strings.Count(out.String(), "\n"); n > seen {
				seen, at, from = n, c.at, done
			}
			if c.at.Sub(at) >= 10*time.Second || (done-from)*10 >= 4000 {
				t.Fatalf("%d a second: silent since %s\n%s", perSecond, at, out.String())
			}
		}
		if most := int(seconds/10) + 11; seen > most || !strings.Contains(out.String(), "100 %") {
			t.Errorf("%d a second: %d lines in %d s\n%s", perSecond, seen, seconds, out.String())
		}
	}
}

func TestWords(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0 s", 0.2: "1 s", 59: "59 s", 59.5: "1 min 0 s", 150: "2 min 30 s", 3900: "1 h 5 min"} {
		if got := words(seconds); got != want {
			t.Errorf("words(%v) = %q, want %q", seconds, got, want)
		}
	}
}

// TestSlowMediumIsReported: a piece that took a second is an event, however
// little of the medium it is; on a quick one only each hundredth is.
func TestSlowMediumIsReported(t *testing.T) {
	dir := medium(t, nil)
	checks := func(perCall time.Duration) (n int) {
		b := newBench(t)
		c := &clock{at: time.Unix(1e9, 0)}
		b.now = func() time.Time { c.at = c.at.Add(perCall); return c.at }
		_, out, _ := b.run("verify", "--json", "--medium", dir)
		all, _ := stream(t, out)
		for _, e := range all {
			if e.Name == "media.check" {
				n++
			}
		}
		return n
	}
	raw, err := os.ReadFile(filepath.Join(dir, bundle.ManifestPath))
	if err != nil {
		t.Fatal(err)
	}
	m, err := bundle.ReadManifest(raw)
	if err != nil {
		t.Fatal(err)
	}
	slow, quick := checks(time.Second), checks(0)
	if slow < len(m.Files) || quick >= len(m.Files) {
		t.Errorf("have %d events of a slow medium and %d of a quick one, for %d files", slow, quick, len(m.Files))
	}
}
