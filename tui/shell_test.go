package tui

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"

	"caisson.dev/caisson/installer/installtest"
)

// TestShellNeedsACheckedSpec: the help offers a root shell only once the medium
// was found good, and only if its Spec allows one.
func TestShellNeedsACheckedSpec(t *testing.T) {
	for _, c := range []struct {
		name               string
		good, allows, want bool
	}{{"not checked", false, true, false}, {"not allowed", true, false, false}, {"allowed", true, true, true}} {
		s := enact(t, rugged(t), installtest.Spec)
		s.facts.Enclave.OS.RootShell = c.allows
		s.held["verify"] = !c.good
		s.send(Key{Kind: KeyHelp})
		if s.w.page().find("shell") >= 0 {
			t.Errorf("%s: offered on the first screen", c.name)
		}
		s.send(Key{Kind: KeyHelp})
		s.send(Press{"check"})
		s.send(Key{Kind: KeyHelp})
		s.send(Press{"shell"})
		if have := slices.Contains(s.effects, Effect(Shell{})); have != c.want {
			t.Errorf("%s: asked for is %v, want %v", c.name, have, c.want)
		}
	}
}

// reader is a StatusHost or Host whose shell reads a line from the terminal.
type reader struct {
	*keeper
	near *os.File
	read chan string
}

func (r *reader) Do(ctx context.Context, a Act) (string, error) {
	if a != OpenShell {
		return r.keeper.Do(ctx, a)
	}
	fmt.Fprint(r.near, "shell reads\r\n")
	text, err := bufio.NewReader(r.near).ReadString('\n')
	r.read <- strings.TrimSpace(text)
	return "The root shell has ended.", err
}

// far is what is seen and typed at the other end of a kernel's terminal.
func farEnd(t *testing.T) (out *screen, near *os.File, keys func(string)) {
	t.Helper()
	far, near := pty(t, 80, 24)
	out = &screen{t: t, vt: vt.NewEmulator(80, 24), ended: make(chan error, 1)}
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
	t.Cleanup(func() { _ = far.Close() })
	return out, near, func(text string) {
		if _, err := far.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStatusShell: the terminal is the shell's alone until it ends, then all of
// the screen is back.
func TestStatusShell(t *testing.T) {
	out, near, keys := farEnd(t)
	host := &reader{&keeper{node: free(sound())}, near, make(chan string, 1)}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		out.ended <- ShowStatus(ctx, host, time.Now, Terminal{Name: "tty1", In: near, Out: near, TERM: "linux", Colour: Colour16})
	}()
	out.shows("[ok] State         Ready")
	keys("\r")
	out.shows("Password of ops")
	keys("secret?\r")
	out.shows("> Restart Kubernetes (kubelet)")
	keys("\x1b[B\x1b[B\x1b[B\x1b[B\r")
	out.shows("Open a root shell?")
	keys("\x1b[B\r")
	out.shows("shell reads")
	if text := strings.TrimSpace(out.text()); !strings.HasPrefix(text, "RESTRICTED // TRIAL") || strings.Contains(text, "Open a root shell?") {
		t.Errorf("have a shell under this, want the banner alone above it:\n%s", text)
	}
	keys("down and enter\r")
	select {
	case text := <-host.read:
		if text != "down and enter" {
			t.Errorf("the shell read %q", text)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the shell reads nothing")
	}
	out.shows("[ok] The root shell has ended.")
	out.shows("RESTRICTED // TRIAL")
	keys("\x1b")
	out.shows("[ok] State         Ready")
	if strings.Contains(out.text(), "shell reads") {
		t.Errorf("the shell's words are still there:\n%s", out.text())
	}
	stop()
	if err := <-out.ended; err != nil {
		t.Error(err)
	}
}

// TestPlainShell: a plain console stops reading while a shell has the terminal,
// and asks again afterwards.
func TestPlainShell(t *testing.T) {
	s, host, _ := serve(t)
	out, near, keys := farEnd(t)
	read := make(chan string, 1)
	host.shell = func() {
		fmt.Fprint(near, "shell reads\r\n")
		text, _ := bufio.NewReader(near).ReadString('\n')
		read <- strings.TrimSpace(text)
	}
	go func() { out.ended <- s.Plain(context.Background(), Terminal{Name: "tty1", In: near, Out: near}) }()
	out.shows("Large print")
	keys("\n")
	out.shows("Check the medium")
	keys("1\n")
	out.shows("Every byte of the medium is")
	keys("m\n")
	out.shows("  3  Open a root shell")
	keys("3\n")
	out.shows("shell reads")
	keys("uptime\n")
	select {
	case text := <-read:
		if text != "uptime" {
			t.Errorf("the shell read %q", text)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the shell reads nothing")
	}
	keys("b\nb\n")
	out.shows("Step 1 of 13")
}
