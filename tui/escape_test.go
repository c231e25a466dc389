package tui

import (
	"context"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
)

func TestUnfinished(t *testing.T) {
	for in, want := range map[string]int{"": 0, "a": 0, "\x1b": 1, "a\x1b": 1, "\x1b[": 2, "\x1bO": 2, "\x1b[[": 3, "\x1b[1;5": 5, "\x1b[200": 5,
		"\x1b[A": 0, "\x1bOA": 0, "\x1b[[A": 0, "\x1b[6~": 0, "\x1bx": 0, "\x1b[Aab": 0, "\x1b[A\x1b": 1, "\x1b[\r": 0} {
		if got := unfinished([]byte(in)); got != want {
			t.Errorf("%q: have %d, want %d", in, got, want)
		}
	}
}

// TestSlowLine: a key whose bytes come 250 ms apart is that key; Esc is Esc, also
// with another key soon after it.
func TestSlowLine(t *testing.T) {
	s, _, _ := serve(t)
	far, near := pty(t, 80, 24)
	out := &screen{t: t, vt: vt.NewEmulator(80, 24), ended: make(chan error, 1)}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := far.Read(buf)
			if err != nil {
				return
			}
			_ = out.draw(buf[:n], n)
		}
	}()
	keys := func(pause time.Duration, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if _, err := far.WriteString(part); err != nil {
				t.Fatal(err)
			}
			time.Sleep(pause)
		}
	}
	go func() {
		out.ended <- s.Console(context.Background(), Terminal{Name: "ttyS0", In: near, Out: near, TERM: "vt220"})
	}()
	out.shows("> Check the medium")
	keys(0, "\r")
	out.shows("Every byte of the medium is")
	keys(0, "\r")
	out.shows("step 3 of 13")
	keys(0, "\r")
	out.shows("step 4 of 13")
	at := func(want int) {
		t.Helper()
		for end := time.Now().Add(5 * time.Second); s.look().cursor != want; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("on option %d, want %d:\n%s", s.look().cursor, want, out.text())
			}
		}
	}
	at(0)
	for i, parts := range [][]string{{"\x1b", "[B"}, {"\x1b[", "A"}, {"\x1b", "[", "B"}, {"\x1b", "OA"}, {"\x1b[B"}} {
		keys(250*time.Millisecond, parts...)
		at((i + 1) % 2)
		if w := s.look(); w.step != rolePage || w.over != nothing {
			t.Fatalf("%q leads to step %d", parts, w.step)
		}
	}
	keys(0, "\x1b")
	out.shows("step 3 of 13")
	keys(150*time.Millisecond, "\x1b", "?")
	out.shows("help: welcome")
	_ = far.Close()
	select {
	case <-out.ended:
	case <-time.After(10 * time.Second):
		t.Fatal("a cut line does not end its console")
	}
}
