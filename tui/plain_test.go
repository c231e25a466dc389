package tui

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"caisson.dev/caisson/internal/golden"
)

// printer keeps what a plain console printed, with what was typed in between.
type printer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *printer) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *printer) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

// passing are the pages that are printed or not, as the host is slow or quick.
var passing = regexp.MustCompile(`\nRESTRICTED // TRIAL\n[^\n]*\n(This takes a while|Making the plan|Asking the network)[^\n]*\n(Checking the medium[^\n]*\n|Step \d+ of 13: [A-Z][^\n]*\n)*|Leaving. Please wait.\n`)

// answers gives lines to a plain console, each once something is asked.
func answers(t *testing.T, out *printer, w io.Writer) func(text string) {
	prompts := 0
	return func(text string) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
			if got := out.String(); strings.HasSuffix(got, ": ") && strings.Count(got, ": \n") == 0 && len(got) > prompts {
				prompts = len(got)
				break
			}
			if time.Now().After(end) {
				t.Fatalf("asks for nothing before %q:\n%s", text, out.String())
			}
		}
		out.mu.Lock()
		out.b.WriteString("<" + text + ">\n")
		out.mu.Unlock()
		if _, err := w.Write([]byte(text + "\n")); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPlain installs by prompts, with mistakes, and holds the whole of it to a
// golden file: what a screen reader reads.
func TestPlain(t *testing.T) {
	s, host, _ := serve(t)
	r, w := io.Pipe()
	out := &printer{}
	ended := make(chan error, 1)
	go func() {
		ended <- s.Plain(context.Background(), Terminal{Name: "ttyS0", In: r, Out: out, ASCII: true})
	}()
	answer := answers(t, out, w)
	for _, l := range []string{"", "", "", "", "?", "7", "1", "2", "1", // role, disk
		"", "1", "10.20.0.0/24", "10.20.0.31/24", "10.20.0.1", "42", "", "", // network
		"b", "b", "", "", "", "", "", "-", "9000", "", // back to the disk and forth
		"edge 1", "edge1", "2", "", // name
		"noon", "", "1", "", "10.20.0.1, ntp.enclave", "2", // time
		"ops", "ssh-rsa x", sshKey, "", "1", "1", "0000", "1", "nx0n", "1"} {
		answer(l)
	}
	answer("m")
	answer("5")
	select {
	case how := <-host.left:
		if how != "poweroff" {
			t.Errorf("left by %q", how)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("did not leave:\n%s", out)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	golden.Equal(t, "plain.txt", []byte(passing.ReplaceAllString(out.String(), "")))
	if strings.Contains(out.String(), "\x1b") {
		t.Error("an escape sequence on a dumb terminal")
	}
}

// TestPlainEnds: a line that is cut ends its console, not the session of others.
func TestPlainEnds(t *testing.T) {
	s, _, ended := serve(t)
	tty := attach(t, s, Terminal{Name: "tty1"})
	tty.shows("step 1 of 13")
	if err := s.Plain(context.Background(), Terminal{Name: "ttyS0", In: strings.NewReader("\n"), Out: io.Discard}); err == nil {
		t.Error("no reason given")
	}
	tty.keys("enter")
	select {
	case err := <-ended:
		t.Fatalf("the session ended: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
}
