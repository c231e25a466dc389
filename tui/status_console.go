package tui

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"caisson.dev/caisson/spec"
)

// StatusHost does what the status console asks for. Its methods are called from
// goroutines of their own and end with ctx.
type StatusHost interface {
	// Look says how the node is. It must end within seconds.
	Look(ctx context.Context) NodeState
	// Admit says whether that is the user's password.
	Admit(ctx context.Context, user, password string) error
	// Do carries an act out, and says what was done.
	Do(ctx context.Context, a Act) (said string, err error)
	// Propose says what another network takes, and changes nothing.
	Propose(ctx context.Context, n spec.NodeNetwork) (NetworkChange, error)
	// Switch puts it into force until then; by is who wants it.
	Switch(ctx context.Context, n spec.NodeNetwork, by string) (until time.Time, err error)
	// Settle keeps the network that is in force, or brings the old one back.
	Settle(ctx context.Context, keep bool) (said string, err error)
}

// ShowStatus shows the status console on a terminal until ctx or the terminal
// ends; now is the clock.
func ShowStatus(ctx context.Context, h StatusHost, now func() time.Time, t Terminal) error {
	t = t.sized()
	if t.Large {
		t.enlarge(true)
	}
	ctx, gone := context.WithCancelCause(ctx)
	defer gone(nil)
	m := &statusModel{s: NewStatus(), host: h, now: now, ctx: ctx,
		canvas: Canvas{Width: t.Width, Height: t.Height, ASCII: t.ASCII, Colour: t.Colour, Large: t.Large}}
	_, err := t.program(ctx, gone, m).Run()
	return outcome(ctx, err)
}

// statusModel joins a Status to its terminal. bubbletea calls it from one
// goroutine, but for the commands that it returns.
type statusModel struct {
	s      Status
	host   StatusHost
	now    func() time.Time
	ctx    context.Context
	canvas Canvas
}

// ticked is a second that went by.
type ticked struct{}

func (m *statusModel) Init() tea.Cmd { return func() tea.Msg { return ticked{} } }

func (m *statusModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmds []tea.Cmd
	take := func(events ...Event) {
		for _, ev := range events {
			var effects []Effect
			m.s, effects = m.s.Update(ev)
			for _, e := range effects {
				if do, ok := e.(Do); ok && do.Act == OpenShell {
					cmds = append(cmds, m.shell(e))
					continue
				}
				cmds = append(cmds, func() tea.Msg { return m.carryOut(e) })
			}
		}
	}
	switch msg := msg.(type) {
	case ticked:
		take(Tick{m.now()})
		cmds = append(cmds, tea.Tick(time.Second, func(time.Time) tea.Msg { return ticked{} }))
	case tea.WindowSizeMsg:
		m.canvas.Width, m.canvas.Height = msg.Width, msg.Height
		take(Resized{msg.Width, msg.Height, m.canvas.Large})
	case tea.PasteMsg:
		take(runes(msg.Content)...)
	case tea.KeyPressMsg:
		if msg.String() == "ctrl+l" {
			return m, tea.ClearScreen
		}
		take(keysOf(msg)...)
	case Looked:
		take(msg)
		cmds = append(cmds, tea.Raw(repaint{m}))
	case Event:
		take(msg)
	}
	return m, tea.Batch(cmds...)
}

// shell gives the terminal to what the effect asks for, and takes it back.
func (m *statusModel) shell(e Effect) tea.Cmd {
	c := &awayCommand{head: shellHead(m.s.node.Classification, m.canvas)}
	c.run = func() { c.event = m.carryOut(e) }
	return tea.Sequence(tea.Exec(c, func(err error) tea.Msg {
		if did, ok := c.event.(Did); ok && err == nil {
			return did
		}
		return Did{Err: err}
	}), tea.ClearScreen) // draw all of it: the shell wrote over it
}

// awayCommand is what runs while bubbletea has let go of the terminal.
type awayCommand struct {
	run   func()
	head  string
	out   io.Writer
	event Event
}

func (c *awayCommand) Run() error {
	time.Sleep(settling) // as in Console
	if c.out != nil {
		if _, err := io.WriteString(c.out, c.head); err != nil {
			return err
		}
	}
	c.run()
	return nil
}
func (*awayCommand) SetStdin(io.Reader)      {}
func (c *awayCommand) SetStdout(w io.Writer) { c.out = w }
func (*awayCommand) SetStderr(io.Writer)     {}

// carryOut asks the host for an effect and gives the event that answers it.
func (m *statusModel) carryOut(e Effect) Event {
	switch e := e.(type) {
	case Look:
		return Looked{m.host.Look(m.ctx)}
	case Admit:
		return Admitted{m.host.Admit(m.ctx, e.User, e.Password)}
	case Do:
		said, err := m.host.Do(m.ctx, e.Act)
		return Did{said, err}
	case Propose:
		change, err := m.host.Propose(m.ctx, e.Network)
		return Proposed{change, err}
	case Switch:
		until, err := m.host.Switch(m.ctx, e.Network, e.By)
		return Switched{until, err}
	case Settle:
		said, err := m.host.Settle(m.ctx, e.Keep)
		return Settled{said, err}
	}
	return nil
}

func (m *statusModel) View() tea.View {
	screen := m.s.View(m.canvas)
	v := tea.NewView(screen.ANSI(m.s.Banner()))
	v.AltScreen = true
	if screen.Cursor {
		v.Cursor = tea.NewCursor(screen.CursorX, screen.CursorY)
	}
	return v
}

// repaint writes every row anew. The kernel and systemd may write to the same
// terminal, which bubbletea cannot know: it sends only what changed. Erasing the
// screen first, as it could, would make it blink at each look.
type repaint struct{ m *statusModel }

// String is asked for when it is written, so that it is what is shown then.
func (r repaint) String() string {
	var b strings.Builder
	b.WriteString("\x1b7") // the cursor comes back (DECSC, DECRC)
	screen := r.m.s.View(r.m.canvas)
	for i, row := range strings.Split(screen.ANSI(r.m.s.Banner()), "\n") {
		fmt.Fprintf(&b, "\x1b[%d;1H\x1b[0m%s", i+1, row)
		if cells(screen.Rows[i]) < r.m.canvas.Width {
			b.WriteString("\x1b[0m\x1b[K")
		}
	}
	b.WriteString("\x1b8")
	return b.String()
}
