package tui

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"golang.org/x/sys/unix"
)

// pty is a pair of descriptors, as a terminal and its program have (pts(4)).
func pty(t *testing.T, cols, rows uint16) (far, near *os.File) {
	t.Helper()
	// Not os.OpenFile and Fd, which would make reads block a Close.
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("there is no pseudo-terminal here: %v", err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: cols, Row: rows})
	}
	if err == nil {
		near, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), "ptmx"), near
}

// TestTerminal plays a session on a terminal of the kernel: raw mode, its own
// size, a shell in between, and the line that is cut.
func TestTerminal(t *testing.T) {
	s, host, _ := serve(t)
	far, near := pty(t, 100, 30)
	out := &screen{t: t, vt: vt.NewEmulator(100, 30), ended: make(chan error, 1)}
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
	keys := func(text string) {
		if _, err := far.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	go func() {
		out.ended <- s.Console(context.Background(), Terminal{Name: "tty1", In: near, Out: near, TERM: "linux", Colour: Colour16})
	}()
	out.shows("Check the medium")
	keys("\r")
	out.shows("Every byte of the medium is")
	keys("\r\r\r")
	out.shows("step 5 of 13")
	if w := s.look().size; w.Width != 100 || w.Height != 30 {
		t.Errorf("the size is %dx%d, want 100x30", w.Width, w.Height)
	}
	keys("?\x1b[6~\x1b[6~\x1b[B\x1b[B")
	out.shows("> Open a root shell")
	keys("\r")
	for end := time.Now().Add(5 * time.Second); len(host.calls()) == 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if got := host.calls(); len(got) != 1 || got[0] != "tty1" {
		t.Errorf("shells on %v", got)
	}
	out.shows("> Open a root shell")
	keys("\x1b")
	out.shows("Which disk shall become the node?")
	keys("\r")
	out.shows("step 6 of 13")
	_ = far.Close()
	select {
	case <-out.ended:
	case <-time.After(10 * time.Second):
		t.Fatal("a cut line does not end its console")
	}
}
