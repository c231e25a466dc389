package tui

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// Terminal is a terminal that a session is served on.
type Terminal struct {
	Name          string // what people call it: tty1, ttyS0
	In            io.Reader
	Out           io.Writer // a *os.File of a terminal is put into raw mode and asked for its size
	TERM          string    // its kind, as in terminfo: linux, vt220
	Width, Height int       // if it cannot be asked; 0 means 80x24
	ASCII         bool
	Colour        Colours
	Large         bool
	// Enlarge makes letters twice as large, or as they were, and says the size in
	// letters then; ok is false if nothing changed. nil: it never does.
	Enlarge func(on bool) (width, height int, ok bool)
	// Echo says whether the terminal shows what is typed, for Plain; nil if it
	// cannot be told.
	Echo func(on bool)
}

// frames is how often a screen is drawn in a second, at most: a serial line
// takes longer than that for a whole one.
const frames = 20

// settling is how long bubbletea is given to let go of a terminal.
const settling = 100 * time.Millisecond

// Console serves a terminal until the session or ctx ends, or the terminal
// does: then the others go on without it.
func (s *Session) Console(ctx context.Context, t Terminal) error {
	t = t.sized()
	large := t.Large
	if large {
		t.enlarge(true)
	}
	c := s.join(t)
	defer s.part(c)
	ctx, gone := context.WithCancelCause(ctx)
	defer gone(nil)
	p := t.program(ctx, gone, model{s, c})
	c.release = func() error {
		err := p.ReleaseTerminal()
		// bubbletea stops its ticker in another goroutine, which a shell that
		// ends at once would overtake: nothing would be drawn any more.
		time.Sleep(settling)
		if err == nil {
			s.mu.Lock()
			head := shellHead(s.wizard.medium.Classification, c.canvas())
			s.mu.Unlock()
			_, err = io.WriteString(t.Out, head)
		}
		return err
	}
	c.restore = func() error {
		err := p.RestoreTerminal()
		p.Send(tea.ClearScreen()) // draw all of it: the shell wrote over it
		return err
	}
	go func() {
		for {
			select {
			case <-c.changed:
				if on := s.large(c); on != large {
					large = on
					if w, h, ok := t.enlarge(on); ok {
						p.Send(tea.WindowSizeMsg{Width: w, Height: h})
						p.Send(tea.ClearScreen())
					}
				}
				p.Send(changed{})
			case <-s.over:
				p.Send(changed{}) // the last word
				p.Quit()
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	_, err := p.Run()
	return outcome(ctx, err)
}

// sized is the terminal with a size.
func (t Terminal) sized() Terminal {
	if t.Width <= 0 || t.Height <= 0 {
		t.Width, t.Height = 80, 24
	}
	return t
}

func (t Terminal) enlarge(on bool) (width, height int, ok bool) {
	if t.Enlarge == nil {
		return 0, 0, false
	}
	return t.Enlarge(on)
}

// program is what serves the terminal; gone is called when the terminal ends.
func (t Terminal) program(ctx context.Context, gone func(error), m tea.Model) *tea.Program {
	profile := colorprofile.ASCII // attributes, no colours
	if t.Colour == Colour16 {
		profile = colorprofile.ANSI
	}
	return tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(watchedInput(t.In, gone)), tea.WithOutput(watchedOutput(t.Out, gone)),
		tea.WithColorProfile(profile), tea.WithWindowSize(t.Width, t.Height), tea.WithFPS(frames), tea.WithoutSignalHandler(),
		// SSH_TTY: a line far away, which is not asked what it can do.
		tea.WithEnvironment([]string{"TERM=" + t.TERM, "SSH_TTY=" + t.Name}))
}

// outcome is what a program's end means: nothing if it was asked for.
func outcome(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); {
	case cause != nil && !errors.Is(cause, context.Canceled):
		return cause
	case errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil:
		return nil
	}
	return err
}

// changed says that there is something new to show.
type changed struct{}

// model forwards keys and shows what the session shows. It has no state.
type model struct {
	s *Session
	c *console
}

func (m model) Init() tea.Cmd { return nil }

func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.s.resized(m.c, msg.Width, msg.Height)
	case tea.PasteMsg:
		m.s.press(m.c, runes(msg.Content)...)
	case tea.KeyPressMsg:
		switch msg.String() {
		case "ctrl+t":
			m.s.takeOver(m.c)
		case "ctrl+l": // the screen may have been written over
			return m, tea.ClearScreen
		default:
			m.s.press(m.c, keysOf(msg)...)
		}
	}
	return m, nil
}

func (m model) View() tea.View {
	screen, banner := m.s.view(m.c)
	v := tea.NewView(screen.ANSI(banner))
	v.AltScreen = true
	if screen.Cursor {
		v.Cursor = tea.NewCursor(screen.CursorX, screen.CursorY)
	}
	return v
}

// named are the keys that are not characters, by bubbletea's names; some
// terminals send control characters for them.
var named = map[string]KeyKind{"up": KeyUp, "down": KeyDown, "left": KeyLeft, "right": KeyRight, "enter": KeyEnter, "ctrl+j": KeyEnter, "esc": KeyEsc,
	"tab": KeyTab, "shift+tab": KeyBacktab, "backspace": KeyBackspace, "ctrl+h": KeyBackspace, "delete": KeyDelete, "home": KeyHome, "end": KeyEnd,
	"pgup": KeyPageUp, "pgdown": KeyPageDown, "f1": KeyHelp, "ctrl+c": KeyInterrupt}

func keysOf(msg tea.KeyPressMsg) []Event {
	if k, ok := named[msg.String()]; ok {
		return []Event{Key{Kind: k}}
	}
	return runes(msg.Text)
}

// runes are the keys of a text.
func runes(text string) []Event {
	var out []Event
	for _, r := range text {
		out = append(out, Key{Rune: r})
	}
	return out
}

// watchedInput and watchedOutput notice the end of a terminal. A file stays one:
// bubbletea has to find its descriptor.
func watchedInput(r io.Reader, gone func(error)) io.Reader {
	if f, ok := r.(*os.File); ok {
		return watchedFile{f, gone}
	}
	return watchedReader{r, gone}
}

func watchedOutput(w io.Writer, gone func(error)) io.Writer {
	if f, ok := w.(*os.File); ok {
		return watchedFile{f, gone}
	}
	return watchedWriter{w, gone}
}

type watchedFile struct {
	*os.File
	gone func(error)
}

func (f watchedFile) Read(p []byte) (int, error) {
	n, err := readKeys(f.File, p)
	return n, notice(err, f.gone)
}

func (f watchedFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, notice(err, f.gone)
}

type watchedReader struct {
	io.Reader
	gone func(error)
}

func (r watchedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	return n, notice(err, r.gone)
}

type watchedWriter struct {
	io.Writer
	gone func(error)
}

func (w watchedWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	return n, notice(err, w.gone)
}

func notice(err error, gone func(error)) error {
	if err != nil {
		gone(err)
	}
	return err
}
