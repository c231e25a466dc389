// Package progress shows long work to whoever is there: bars with rate and
// remaining time on a terminal, one plain line now and then in a log, JSON
// events under --json. It knows nothing of what the work is. It is a leaf that
// the command lines use; nothing below them imports it.
package progress

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/size"
)

// Reporter takes progress of named pieces of work, from many goroutines.
type Reporter struct {
	mu    sync.Mutex
	show  shower
	last  map[string]time.Time
	begun map[string]time.Time
	ended map[string]int64 // its total
	now   func() time.Time
	over  bool
}

type shower interface {
	// update is called at most ten times a second for one name, and at its end.
	// step is what of the work is being done just now, or "".
	update(name, step string, done, total int64, took time.Duration, end bool)
	note(text string)
	close()
}

// New shows bars when w is a terminal, plain lines otherwise.
func New(w io.Writer) *Reporter {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return reporter(&bars{p: mpb.New(mpb.WithOutput(w), mpb.WithWidth(32)), bars: map[string]*bar{}})
	}
	return reporter(&lines{w: w, next: map[string]time.Duration{}})
}

// Events reports to a stream that others speak in as well.
func Events(sink event.Sink) *Reporter { return reporter(events{sink}) }

func reporter(show shower) *Reporter {
	return &Reporter{show: show, last: map[string]time.Time{}, begun: map[string]time.Time{}, ended: map[string]int64{}, now: time.Now}
}

// Report takes done of total bytes (total 0: not known) of one piece of work;
// done == total ends it, and another total under its name is work of its own: a
// thing is first looked up and then fetched. What stands behind ": " in the name is the step that the
// work is at; it is shown, and does not make another piece of work of it. Report
// has the shape of bundle.Progress.
func (r *Reporter) Report(name string, done, total int64) {
	name, step, _ := strings.Cut(name, ": ")
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if of, ok := r.ended[name]; ok {
		if of == total {
			return // said already, or late
		}
		delete(r.ended, name)
		delete(r.begun, name)
		delete(r.last, name)
	}
	if _, ok := r.begun[name]; !ok {
		r.begun[name] = now
	}
	end := total > 0 && done >= total
	if r.over || (!end && now.Sub(r.last[name]) < 100*time.Millisecond) {
		return
	}
	r.last[name] = now
	if end {
		r.ended[name] = total
	}
	r.show.update(name, step, done, total, now.Sub(r.begun[name]), end)
}

// Note prints a sentence between the bars.
func (r *Reporter) Note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return
	}
	r.show.note(fmt.Sprintf(format, args...))
}

// Close draws the last state; call it before other output. Nothing is shown after.
func (r *Reporter) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.over = true
		r.show.close()
	}
}

type events struct{ sink event.Sink }

func (e events) update(name, step string, done, total int64, _ time.Duration, _ bool) {
	said := event.Event{Name: "progress", Message: name, Done: done, Size: total}
	if step != "" {
		said.Data = map[string]string{"step": step}
	}
	e.sink(said)
}
func (e events) note(text string) { e.sink(event.Event{Name: "note", Message: text}) }
func (e events) close()           {}

// lines prints the start, the end, and in between a line after 5, 10, 20, 40 s
// and so on: a log of hours stays readable.
type lines struct {
	w    io.Writer
	next map[string]time.Duration
}

func (l *lines) update(name, step string, done, total int64, took time.Duration, end bool) {
	next, seen := l.next[name]
	if end {
		delete(l.next, name)
		fmt.Fprintf(l.w, "%s: done%s in %s\n", name, amount(total), took.Round(100*time.Millisecond))
		return
	}
	if seen && took < next {
		return
	}
	l.next[name] = max(5*time.Second, 2*took)
	if step != "" {
		step = " (" + step + ")"
	}
	switch {
	case !seen:
		fmt.Fprintf(l.w, "%s%s\n", name, step)
	case total > 0 && total < countBelow:
		fmt.Fprintf(l.w, "%s: %d of %d, %s left%s\n", name, done, total, left(done, total, took), step)
	case total > 0:
		fmt.Fprintf(l.w, "%s: %s of %s, %s/s, %s left%s\n", name, size.Bytes(done), size.Bytes(total), rate(done, took), left(done, total, took), step)
	default:
		fmt.Fprintf(l.w, "%s: %s, %s so far%s\n", name, quantity(done, done), took.Round(time.Second), step)
	}
}
func (l *lines) note(text string) { fmt.Fprintln(l.w, text) }
func (l *lines) close()           {}

func rate(done int64, took time.Duration) size.Bytes {
	if took <= 0 {
		return 0
	}
	return size.Bytes(float64(done) / took.Seconds())
}

func left(done, total int64, took time.Duration) time.Duration {
	if done <= 0 {
		return 0
	}
	return time.Duration(float64(took) * float64(total-done) / float64(done)).Round(time.Second)
}

type bars struct {
	p    *mpb.Progress
	bars map[string]*bar
}

type bar struct {
	*mpb.Bar
	step atomic.Value // string; drawn by another goroutine
}

func (b *bars) update(name, step string, done, total int64, _ time.Duration, end bool) {
	one, ok := b.bars[name]
	if !ok {
		one = &bar{}
		far := []decor.Decorator{decor.CountersKibiByte("% .1f / % .1f", decor.WCSyncSpace), decor.AverageSpeed(decor.SizeB1024(0), " % .1f", decor.WCSyncSpace)}
		switch {
		case total == 0:
			far = []decor.Decorator{decor.Any(func(s decor.Statistics) string { return quantity(s.Current, s.Current) }, decor.WCSyncSpace)}
		case total < countBelow:
			far = []decor.Decorator{decor.CountersNoUnit("%d / %d", decor.WCSyncSpace)}
		}
		atStep := decor.Any(func(decor.Statistics) string { s, _ := one.step.Load().(string); return s }, decor.WCSyncSpaceR)
		one.Bar = b.p.AddBar(total, mpb.BarRemoveOnComplete(), mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR)),
			mpb.AppendDecorators(append(far, decor.AverageETA(decor.ET_STYLE_MMSS, decor.WCSyncSpace), atStep)...))
		b.bars[name] = one
	}
	one.step.Store(step)
	if total > 0 {
		one.SetTotal(total, false)
	}
	one.SetCurrent(done)
	if end {
		one.SetTotal(total, true)
		delete(b.bars, name)
		fmt.Fprintf(b.p, "%s: done%s\n", name, amount(total))
	}
}
func (b *bars) note(text string) { fmt.Fprintln(b.p, text) }
func (b *bars) close() {
	for _, one := range b.bars {
		one.Abort(true)
	}
	b.p.Wait()
}

// amount is left out where a piece of work counts itself as one.
func amount(total int64) string {
	if total <= 1 {
		return ""
	}
	return ", " + quantity(total, total)
}

// countBelow: totals smaller than this are a number of packages or images, not
// of bytes; nothing that takes long has so few bytes.
const countBelow = 4096

func quantity(n, total int64) string {
	if total < countBelow {
		return strconv.FormatInt(n, 10)
	}
	return size.Bytes(n).String()
}
