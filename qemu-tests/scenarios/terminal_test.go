//go:build e2e

package scenarios

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"

	"caisson.dev/caisson/qemu-tests/vm"
)

// terminal is what a person has at the other end of the serial line: an 80x24
// screen, and keys. It answers what the guest asks a terminal.
type terminal struct {
	vt *vt.SafeEmulator

	mu   sync.Mutex
	more chan struct{} // closed and replaced when something was drawn
}

func newTerminal() *terminal {
	return &terminal{vt: vt.NewSafeEmulator(80, 24), more: make(chan struct{})}
}

// attach sends the terminal's own answers down the line.
func (s *terminal) attach(v *vm.VM) {
	go func() {
		buf := make([]byte, 256)
		for {
			n, err := s.vt.Read(buf)
			if err != nil || v.WriteSerial(buf[:n]) != nil {
				_, _ = io.Copy(io.Discard, s.vt)
				return
			}
		}
	}()
}

// Write draws.
func (s *terminal) Write(p []byte) (int, error) {
	n, err := s.vt.Write(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.more)
	s.more = make(chan struct{})
	return n, err
}

// text is the screen as lines without the blanks at their ends.
func (s *terminal) text() string {
	var lines []string
	for y := range s.vt.Height() {
		var line strings.Builder
		for x := range s.vt.Width() {
			if c := s.vt.CellAt(x, y); c != nil && c.Content != "" {
				line.WriteString(c.Content)
			} else {
				line.WriteByte(' ')
			}
		}
		lines = append(lines, strings.TrimRight(line.String(), " "))
	}
	return strings.Join(lines, "\n") + "\n"
}

// settle is how long the screen must stay as it is to be read: a screen that is
// being drawn is half the old one.
const settle = 2 * time.Second

// until waits for a screen that has one of these in it and is drawn to its end.
func (s *terminal) until(ctx context.Context, want ...string) (string, error) {
	return s.wait(ctx, fmt.Sprintf("%q on the screen", want), func(text string) bool {
		return slices.ContainsFunc(want, func(w string) bool { return strings.Contains(text, w) })
	})
}

// change waits for another screen than before, drawn to its end.
func (s *terminal) change(ctx context.Context, before string) (string, error) {
	return s.wait(ctx, "answer to a key", func(text string) bool { return text != before })
}

func (s *terminal) wait(ctx context.Context, what string, is func(text string) bool) (string, error) {
	for {
		s.mu.Lock()
		more := s.more
		s.mu.Unlock()
		text := s.text()
		var quiet <-chan time.Time
		if is(text) {
			quiet = time.After(settle)
		}
		select {
		case <-quiet:
			return text, nil
		case <-more:
		case <-ctx.Done():
			return text, fmt.Errorf("have no %s: %w\n%s", what, context.Cause(ctx), text)
		}
	}
}

// keep writes the screen to the folder of results.
func (s *terminal) keep(t *testing.T, name string) {
	t.Helper()
	path := filepath.Join(*outFlag, filepath.FromSlash(t.Name()), name+".txt")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(s.text()), 0o644); err != nil {
		t.Fatal(err)
	}
}
