package tui

import (
	"fmt"
	"time"

	"caisson.dev/caisson/internal/size"
)

// work is how far a long piece of work is, with the clock of the session.
type work struct {
	done, total int64
	begun, last time.Time
	from        int64 // done when it began
}

// at is the work a little later.
func (w work) at(done, total int64, now time.Time) work {
	if w.begun.IsZero() || total != w.total || done < w.done {
		w.begun, w.from = now, done
	}
	w.done, w.total, w.last = done, total, now
	return w
}

// percent is 0 to 100.
func (w work) percent() int {
	if w.total <= 0 || w.done < 0 {
		return 0
	}
	return int(min(100, float64(w.done)/float64(w.total)*100))
}

// text is the work in words: how much, how fast, how long yet.
func (w work) text() string {
	s := fmt.Sprintf("%3d %%   %s of %s", w.percent(), size.Bytes(max(0, w.done)), size.Bytes(max(0, w.total)))
	took := w.last.Sub(w.begun).Seconds()
	if moved := w.done - w.from; took >= 1 && moved > 0 {
		rate := float64(moved) / took
		s += fmt.Sprintf("   %s/s", size.Bytes(rate))
		if w.done < w.total {
			s += "   " + span(float64(w.total-w.done)/rate) + " left"
		}
	}
	return s
}

// span is a time for people, rounded up: "9 s", "2 min 30 s", "1 h 5 min".
func span(seconds float64) string {
	s := int64(seconds) + 1
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	case s < 360000:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	}
	return "days"
}
