package tui

import (
	"testing"
	"time"

	"caisson.dev/caisson/installer/plan"
)

// TestTwoConsoles: the first that presses a key leads, the other mirrors it and
// can take over; one that goes away ends alone.
func TestTwoConsoles(t *testing.T) {
	s, host, ended := serve(t)
	tty := attach(t, s, Terminal{Name: "tty1", Colour: Colour16})
	line := attach(t, s, Terminal{Name: "ttyS0", ASCII: true, TERM: "vt220", Width: 100, Height: 30})
	tty.shows("Check the medium")
	line.shows("Check the medium")
	line.keys("enter")
	line.shows("Every byte of the medium is")
	tty.shows("ttyS0 leads.   Ctrl-T: work from here")
	tty.keys("enter")
	line.keys("enter")
	line.shows("step 3 of 13")
	tty.shows("step 3 of 13")
	tty.keys("ctrl-t")
	line.shows("tty1 leads.")
	tty.keys("enter")
	line.shows("step 4 of 13")
	_ = tty.in.Close()
	if err := <-tty.ended; err == nil {
		t.Error("a terminal that ended gave no reason")
	}
	line.keys("enter")
	line.shows("step 5 of 13")
	line.keys("ctrl-c")
	line.shows("Open a root shell")
	line.keys("pgdn", "pgdn", "down", "down", "down", "enter")
	select {
	case how := <-host.left:
		if how != "reboot" {
			t.Errorf("left by %q", how)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("did not leave:\n%s", line.text())
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := <-line.ended; err != nil {
		t.Error(err)
	}
}

// TestInstallBySerialLine is the whole way, with the keys of a terminal.
func TestInstallBySerialLine(t *testing.T) {
	s, host, _ := serve(t)
	line := attach(t, s, Terminal{Name: "ttyS0", TERM: "vt220"})
	line.keys("enter")
	line.shows("Every byte of the medium is")
	line.keys("enter", "enter", "enter", "enter", "enter", "enter", "10.20.0.31/24", "enter", "enter", "enter", "enter", "enter")
	line.shows("step 7 of 13")
	line.keys("edge1", "enter", "enter", "enter")
	line.shows("step 8 of 13")
	line.keys("down", "down", "down", "enter", "ops", "enter", "\x1b[200~"+sshKey+"\n\x1b[201~", "enter", "enter", "enter")
	line.shows("DESTROYS everything")
	line.keys("enter", "enter") // each reads on
	line.shows("Enter: do it")
	line.keys("enter")
	line.shows("To agree")
	line.keys("xxxx", "enter", "enter")
	line.shows("need  the last 4 characters")
	line.keys("\x7f", "\x08", "\x7f", "\x7f", "nx0n", "enter", "enter")
	line.shows("The node is on the disk.")
	var got []Effect
	for _, e := range host.stage.effects {
		if in, ok := e.(Install); ok {
			got = append(got, in)
			if _, err := plan.Confirm(in.Plan, in.Erase); err != nil {
				t.Error(err)
			}
		}
	}
	if len(got) != 1 {
		t.Errorf("installed %d times", len(got))
	}
}

// TestNobodyLeft: with the last console gone the session ends, and says so; an
// install is carried to its end first.
func TestNobodyLeft(t *testing.T) {
	s, host, ended := serve(t)
	host.hold = make(chan struct{})
	line := attach(t, s, Terminal{Name: "ttyS0"})
	line.shows("step 1 of 13")
	host.mu.Lock()
	st := *host.stage
	host.mu.Unlock()
	st.do(t, toConfirm...)
	s.mu.Lock()
	s.wizard = st.w
	s.mu.Unlock()
	line.keys("nx0n", "enter", "enter")
	line.shows("step 12 of 13")
	_ = line.in.Close()
	<-line.ended
	select {
	case err := <-ended:
		t.Fatalf("ended while an install was under way: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	close(host.hold)
	if err := <-ended; !Ended.Is(err) || host.stopped {
		t.Errorf("ended with %v, install stopped: %v", err, host.stopped)
	}
	if w := s.look(); w.step != done {
		t.Errorf("the install came to step %d", w.step)
	}
}

// TestBytesPerKey holds what a serial line has to carry: at 115200 baud a frame
// of 1/20 s has 576 bytes, at 9600 baud two kilobytes take two seconds.
func TestBytesPerKey(t *testing.T) {
	got := bytesPerKey(t)
	for name, most := range map[string]int{"first paint": 3000, "move between fields": 200, "character": 100, "next screen": 2000} {
		if n := got[name]; n > most || n == 0 {
			t.Errorf("%s takes %d bytes, need at most %d", name, n, most)
		}
	}
}

func bytesPerKey(t testing.TB) map[string]int {
	got := map[string]int{}
	s, _, _ := serve(t)
	begun := time.Now()
	line := attach(t, s, Terminal{Name: "ttyS0", TERM: "vt220", Colour: Colour16})
	line.shows("Check the medium")
	got["ms to first paint"] = int(time.Since(begun).Milliseconds())
	last := line.written()
	got["first paint"] = last
	count := func(name string, keys ...string) {
		line.keys(keys...)
		now := line.written()
		got[name], last = now-last, now
	}
	count("move between actions", "down")
	count("", "up")
	count("", "enter")
	count("", "enter")
	count("next screen", "enter")
	count("move between options", "down")
	count("", "up", "enter", "enter", "tab")
	count("move between fields", "tab")
	count("character", "1")
	delete(got, "")
	return got
}

// BenchmarkBytes reports what TestBytesPerKey holds.
func BenchmarkBytes(b *testing.B) {
	for b.Loop() {
		for name, n := range bytesPerKey(b) {
			b.ReportMetric(float64(n), name[:1]+replaced(name[1:]))
		}
	}
}

func replaced(s string) string {
	out := []rune(s)
	for i, r := range out {
		if r == ' ' {
			out[i] = '-'
		}
	}
	return string(out)
}
