package node

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/tui"
)

func (b *bench) Shell(_ context.Context, device string) error {
	b.shells = append(b.shells, device)
	return nil
}

// allowing is a Spec that allows a root shell.
func allowing(text string) string {
	return strings.Replace(text, "registry:", "os: {rootShell: true}\nregistry:", 1)
}

// TestInstallerShell: the host opens one only if the checked Spec says so, on
// the console that asked, and says so to whoever reads the events.
func TestInstallerShell(t *testing.T) {
	b := newBench(t)
	r, _ := soon(t, b)
	h := &host{r: r, v: r.speak("installer", false)}
	if err := h.Shell("ttyS0"); !ShellRefused.Is(err) || len(b.shells) > 0 {
		t.Errorf("before the check: %v, shells at %v", err, b.shells)
	}
	h.in.Enclave.OS.RootShell = true
	if err := h.Shell("ttyS0"); !ShellRefused.Is(err) || len(b.shells) > 0 {
		t.Errorf("a Spec that nobody checked: %v, shells at %v", err, b.shells)
	}
	v, err := bundle.Verify(t.Context(), os.DirFS(medium(t, nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	h.verified, h.in.Enclave.OS.RootShell = v, false
	if err := h.Shell("ttyS0"); !ShellRefused.Is(err) || len(b.shells) > 0 {
		t.Errorf("not allowed: %v, shells at %v", err, b.shells)
	}
	h.in.Enclave.OS.RootShell = true
	if err := h.Shell("ttyS0"); err != nil || strings.Join(b.shells, " ") != "/dev/ttyS0" {
		t.Errorf("allowed: %v, shells at %v", err, b.shells)
	}
	var said []string
	for _, e := range b.events() {
		if e.Name == "shell" {
			said = append(said, e.Message)
		}
	}
	if strings.Join(said, "; ") != "a root shell was opened at ttyS0; the root shell at ttyS0 has ended" {
		t.Errorf("said %q", said)
	}
}

// TestConsoleShell: likewise on the installed node.
func TestConsoleShell(t *testing.T) {
	b := newBench(t)
	installedTree(t, b.scratch)
	r, out := soon(t, b)
	k := keeper{r}
	if _, err := k.Do(t.Context(), tui.OpenShell); !ShellRefused.Is(err) || len(b.shells) > 0 || k.Look(t.Context()).Shell {
		t.Errorf("not allowed: %v, shells at %v", err, b.shells)
	}
	put(t, b.scratch, map[string]string{"var/lib/caisson/caisson.yaml": allowing(installtest.Spec)})
	if said, err := k.Do(t.Context(), tui.OpenShell); err != nil || said != "The root shell has ended." || len(b.shells) != 1 || !k.Look(t.Context()).Shell {
		t.Errorf("allowed: %q, %v, shells at %v", said, err, b.shells)
	}
	if !strings.Contains(out.String(), "console: shell\n") {
		t.Errorf("the journal holds %q", out)
	}
}

// heard is what a terminal shows.
type heard struct {
	mu   sync.Mutex
	text strings.Builder
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(p)
}

func (h *heard) waitFor(t *testing.T, want string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		h.mu.Lock()
		text := h.text.String()
		h.mu.Unlock()
		if strings.Contains(text, want) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("never shows %q, but %q", want, text)
		}
	}
}

// TestShellOn plays a shell on a terminal of the kernel: job control is the
// shell's own, and the console can be read and written when it has ended.
func TestShellOn(t *testing.T) {
	console, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0) // only to learn whether there are any
	if err != nil {
		t.Skipf("there is no pseudo-terminal here: %v", err)
	}
	far, near, err := ownTerminal(console)
	_ = console.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	shows := &heard{}
	go func() { _, _ = io.Copy(shows, far) }()
	ended := make(chan error, 1)
	start := func() {
		go func() {
			ended <- shellOn(context.Background(), near, []string{"/bin/sh", "-i"}, []string{"PS1=<$> ", "PATH=/usr/bin:/bin"})
		}()
	}
	for round := range 2 { // the screens came back, and somebody asks again
		start()
		shows.waitFor(t, "This is a root shell")
		fmt.Fprintf(far, "echo ro''und %d; stty size; sleep 1000\r", round)
		shows.waitFor(t, fmt.Sprintf("round %d\r\n24 80\r\n", round))
		time.Sleep(100 * time.Millisecond)
		fmt.Fprint(far, "\x03") // Ctrl-C ends the sleep, not the installer
		fmt.Fprintf(far, "echo st''ill %d\r", round)
		shows.waitFor(t, fmt.Sprintf("still %d\r\n", round))
		fmt.Fprint(far, "exit 3\r")
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the shell does not end")
		}
		fmt.Fprintf(near, "back %d", round)
		shows.waitFor(t, fmt.Sprintf("back %d", round))
	}
	start()
	_ = far.Close() // the line is cut
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("a cut line does not end the shell")
	}
	if err := (machineEnvironment{}).Shell(t.Context(), "/dev/none-such"); !ShellFailed.Is(err) {
		t.Errorf("no console: %v, want SHELL-FAILED", err)
	}
}
