package progress

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal: what is written to its end for programs, and a
// function that gives all that came out once that end is closed.
func terminal(t *testing.T) (*os.File, func() string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("needs pseudo-terminals: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 120})
	}
	if err != nil {
		t.Skipf("needs pseudo-terminals: %v", err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("needs pseudo-terminals: %v", err)
	}
	var seen bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(&seen, master) // ends with EIO when the other end is closed
	}()
	return tty, func() string {
		tty.Close()
		<-read
		return seen.String()
	}
}

// TestBarsOnATerminal: a person sees rate and remaining time while the work goes
// on, one line for what ended, and no bar for what did not.
func TestBarsOnATerminal(t *testing.T) {
	tty, output := terminal(t)
	r := New(tty)
	shown, ok := r.show.(*bars)
	if !ok {
		t.Fatalf("have %T on a terminal, want bars", r.show)
	}
	const total = 100 << 20
	for i := range int64(8) {
		r.Report("download", i*10<<20, total)
		r.Report("packages", i, 40)
		time.Sleep(120 * time.Millisecond)
	}
	r.Note("a mirror is slow")
	bar := shown.bars["download"]
	r.Report("download", total, total)
	r.Report("download", total, total) // again: said already
	if !bar.Completed() || bar.Current() != total {
		t.Errorf("the bar that ended is at %d, completed %v", bar.Current(), bar.Completed())
	}
	if shown.bars["packages"].Completed() {
		t.Error("the bar that did not end is completed")
	}
	r.Close()
	r.Close() // a second time does nothing
	text := output()
	for _, want := range []string{
		`download.* \d+\.\d MiB / 100\.0 MiB .*\d+\.\d MiB/s.* \d\d:\d\d`,
		`packages.* \d+ / 40 .*\d\d:\d\d`,
		`(?m)^.*download: done, 100\.0 MiB\r?$`,
		`a mirror is slow`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("have no %s in\n%q", want, text)
		}
	}
	if n := strings.Count(text, "download: done"); n != 1 || strings.Contains(text, "packages: done") {
		t.Errorf("have %d ends of the download, want 1 and none of the packages:\n%q", n, text)
	}
}
