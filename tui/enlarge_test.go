package tui

import (
	"strings"
	"testing"
)

// TestLargePrintEnlargesLetters: the switch on the first screen makes the letters of
// a console that has such larger, and the screens are drawn for what fits then; off,
// all is as it was.
func TestLargePrintEnlargesLetters(t *testing.T) {
	s, _, _ := serve(t)
	var tty *screen
	asked := make(chan bool, 9)
	enlarge := func(on bool) (int, int, bool) {
		w, h := 120, 40
		if on {
			w, h = 60, 20
		}
		tty.mu.Lock()
		tty.vt.Resize(w, h)
		tty.mu.Unlock()
		asked <- on
		return w, h, true
	}
	tty = attach(t, s, Terminal{Name: "tty1", Width: 120, Height: 40, Enlarge: enlarge})
	line := attach(t, s, Terminal{Name: "ttyS0", Width: 120, Height: 40})
	tty.shows("Check the medium")
	tty.keys("down", "enter")
	if !<-asked {
		t.Error("smaller letters for large print")
	}
	tty.shows("Large print")
	for row := range strings.Lines(tty.text()) {
		if n := len([]rune(strings.TrimRight(row, "\n"))); n > 60 {
			t.Errorf("%d letters where 60 fit: %q", n, row)
		}
	}
	line.shows("Large print") // no larger letters: it never asks
	tty.keys("enter")
	if <-asked {
		t.Error("larger letters without large print")
	}
	tty.shows("the paper that came with the medium") // on one line, again
	if len(asked) > 0 {
		t.Error("asked more than once")
	}
}

// TestLargeFromTheStart: a console that the boot menu asked large print for.
func TestLargeFromTheStart(t *testing.T) {
	s, _, _ := serve(t)
	asked := make(chan bool, 9)
	tty := attach(t, s, Terminal{Name: "tty1", Large: true, Enlarge: func(on bool) (int, int, bool) {
		asked <- on
		return 0, 0, false
	}})
	if !<-asked {
		t.Error("not asked for larger letters")
	}
	tty.shows("Check the medium") // where they cannot be larger
	if text := tty.text(); strings.Contains(text, "] Large print") {
		t.Errorf("a switch that does nothing:\n%s", text)
	}
}
