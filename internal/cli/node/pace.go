package node

import (
	"fmt"
	"io"
	"time"

	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/size"
)

// A line of progress comes after a tenth of the work or after ten seconds,
// whichever is first, and not oftener than once a second.
const (
	longest  = 10 * time.Second
	shortest = time.Second
)

// pace tells how far the work under way is, in plain lines that a serial line
// and a log can hold as well as a screen. Rate and remaining time are means since
// the work began.
type pace struct {
	w     io.Writer
	now   func() time.Time
	begun time.Time
	said  time.Time // when the last line came
	tenth int64     // of the work, at the last line
}

// begin starts the clock of one piece of work.
func (p *pace) begin() {
	p.begun = p.now()
	p.said, p.tenth = p.begun, 0
}

// tell takes a progress event; the end of the work is always said, once.
func (p *pace) tell(e event.Event) {
	if e.Size <= 0 {
		return
	}
	at, tenth := p.now(), e.Done*10/e.Size
	since := at.Sub(p.said)
	if tenth >= 10 && p.tenth >= 10 {
		return // the end was said
	}
	if e.Done < e.Size && since < longest && (tenth == p.tenth || since < shortest) {
		return
	}
	p.said, p.tenth = at, tenth
	took := at.Sub(p.begun)
	fmt.Fprintf(p.w, "   %3d %%  %s of %s", e.Done*100/e.Size, size.Bytes(e.Done), size.Bytes(e.Size))
	if took > 0 && e.Done > 0 {
		perByte := took.Seconds() / float64(e.Done)
		fmt.Fprintf(p.w, ", %s/s", size.Bytes(1/perByte))
		if e.Done < e.Size {
			fmt.Fprintf(p.w, ", %s left", words(perByte*float64(e.Size-e.Done)))
		}
	}
	if e.Done >= e.Size {
		fmt.Fprintf(p.w, ", took %s", words(took.Seconds()))
	}
	fmt.Fprintln(p.w)
}

// words is a time for people, rounded up: "9 s", "2 min 30 s", "1 h 5 min".
func words(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	s := int64((d + time.Second - 1) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
}
