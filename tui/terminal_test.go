package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"

	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/spec"
)

// played is a Host that answers as stage does.
type played struct {
	mu      sync.Mutex
	stage   *stage
	left    chan string
	shell   func()               // what it does
	cables  chan map[string]bool // news of links
	shells  []string
	hold    chan struct{} // an install waits for it, if there is one
	stopped bool
}

func (p *played) answer(e Effect) []Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stage.effects = append(p.stage.effects, e)
	return p.stage.answer(e)
}

func (p *played) Verify(_ context.Context, progress func(done, total int64)) (Facts, error) {
	progress(50, 100)
	progress(100, 100)
	return p.answer(Verify{})[0].(MediumOK).Facts, nil
}

func (p *played) Rescan(context.Context) (machine.Machine, map[string]string, error) {
	return p.stage.facts.Machine, p.stage.facts.Refused, nil
}

func (p *played) WatchLinks(ctx context.Context, changed func(map[string]bool)) {
	p.mu.Lock()
	now := p.stage.links()
	p.mu.Unlock()
	changed(now.Up)
	for {
		select {
		case up := <-p.cables:
			changed(up)
		case <-ctx.Done():
			return
		}
	}
}

func (p *played) AskAddress(_ context.Context, n spec.NodeNetwork) AddressAsked {
	return p.answer(AskAddress{n})[0].(AddressAsked)
}

func (p *played) Watch(context.Context) error { return p.stage.gone }

func (p *played) Plan(a spec.Answers) (plan.Plan, error) {
	got := p.answer(Plan{Answers: a})[0].(Planned)
	return got.Plan, got.Err
}

func (p *played) Install(ctx context.Context, pl plan.Plan, erase string, sink event.Sink) (Result, error) {
	if p.hold != nil {
		select {
		case <-p.hold:
		case <-ctx.Done():
			p.stopped = true
			return Result{}, ctx.Err()
		}
	}
	for _, ev := range p.answer(Install{pl, erase}) {
		switch ev := ev.(type) {
		case InstallEvent:
			sink(ev.Event)
		case Installed:
			return ev.Result, ev.Err
		}
	}
	return Result{}, errors.New("the play has no end")
}

func (p *played) OpenSecrets(_ context.Context, phrase string) error        { return p.stage.open(phrase) }
func (p *played) HashPassword(string) (string, error)                       { return madeHash, nil }
func (p *played) ReadKeys(context.Context) ([]string, string, error)        { return nil, "", nil }
func (p *played) SaveAnswers(context.Context, spec.Answers) (string, error) { return "a stick", nil }
func (p *played) SupportBundle(context.Context) (string, error)             { return "a stick", nil }
func (p *played) SetClock(time.Time) error                                  { return nil }
func (p *played) Leave(how string) error                                    { p.left <- how; return nil }
func (p *played) Shell(console string) error {
	p.mu.Lock()
	p.shells = append(p.shells, console)
	p.mu.Unlock()
	if p.shell != nil {
		p.shell()
	}
	return nil
}

// calls are the consoles that a shell was opened on.
func (p *played) calls() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shells
}

// screen is a terminal in memory, with a program at its line.
type screen struct {
	t     testing.TB
	mu    sync.Mutex
	vt    *vt.Emulator // under mu, but for what it answers
	in    *io.PipeWriter
	sent  int    // bytes that were written to it
	raw   []byte // those bytes
	ended chan error
}

func (s *screen) Write(p []byte) (int, error) {
	// Without a terminal's descriptor bubbletea takes it for a line in cooked
	// mode, on which the driver makes CR LF of LF.
	return len(p), s.draw(bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n")), len(p))
}

// draw shows what came in, of which n bytes were sent.
func (s *screen) draw(p []byte, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent += n
	s.raw = append(s.raw, p...)
	_, err := s.vt.Write(p)
	return err
}

// written is how much was written, once nothing more comes.
func (s *screen) written() int {
	last, same := -1, 0
	for same < 3 {
		time.Sleep(60 * time.Millisecond)
		s.mu.Lock()
		n := s.sent
		s.mu.Unlock()
		if n == last {
			same++
		} else {
			last, same = n, 0
		}
	}
	return last
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for y := range s.vt.Height() {
		var row strings.Builder
		for x := range s.vt.Width() {
			if c := s.vt.CellAt(x, y); c != nil && c.Content != "" {
				row.WriteString(c.Content)
			} else {
				row.WriteString(" ")
			}
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
	return b.String()
}

// shows waits until the screen holds a text.
func (s *screen) shows(want string) {
	s.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(s.text(), want) {
			return
		}
	}
	s.t.Fatalf("never shows %q, but:\n%s", want, s.text())
}

// lines are what terminals send for keys.
var lines = map[string]string{"enter": "\r", "esc": "\x1b", "up": "\x1b[A", "down": "\x1b[B", "tab": "\t", "pgdn": "\x1b[6~", "ctrl-t": "\x14", "ctrl-c": "\x03"}

func (s *screen) keys(names ...string) {
	s.t.Helper()
	for _, n := range names {
		text := lines[n]
		if text == "" {
			text = n
		}
		if _, err := s.in.Write([]byte(text)); err != nil {
			s.t.Fatal(err)
		}
		if n == "esc" {
			time.Sleep(100 * time.Millisecond) // or it is the first byte of another key
		}
	}
}

// attach serves a new terminal.
func attach(t testing.TB, s *Session, term Terminal) *screen {
	t.Helper()
	if term.Width == 0 {
		term.Width, term.Height = 80, 24
	}
	r, w := io.Pipe()
	out := &screen{t: t, vt: vt.NewEmulator(term.Width, term.Height), in: w, ended: make(chan error, 1)}
	go func() { // what a terminal answers by itself comes in with the keys
		_, _ = io.Copy(w, out.vt)
	}()
	term.In, term.Out = r, out
	if term.TERM == "" {
		term.TERM = "linux"
	}
	go func() { out.ended <- s.Console(context.Background(), term) }()
	return out
}

// serve is a session on the rugged machine.
func serve(t testing.TB) (*Session, *played, chan error) {
	t.Helper()
	return serveSpec(t, installtest.Spec)
}

func serveSpec(t testing.TB, text string) (*Session, *played, chan error) {
	t.Helper()
	st := enact(t, rugged(t), text)
	host := &played{stage: st, left: make(chan string, 1), cables: make(chan map[string]bool)}
	s := NewSession(New(st.w.medium), host, func() time.Time { return noon })
	ended := make(chan error, 1)
	go func() { ended <- s.Run(context.Background()) }()
	t.Cleanup(func() { s.end(nil) })
	return s, host, ended
}
