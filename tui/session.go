package tui

import (
	"context"
	"sync"
	"time"
)

// Session is one way through the screens, shared by any number of consoles.
type Session struct {
	host Host
	now  func() time.Time
	ctx  context.Context // of the effects; ends with Run
	stop context.CancelFunc
	over chan struct{} // closed when the person has left, or nobody is left

	mu       sync.Mutex
	wizard   Wizard
	consoles map[*console]bool
	leader   *console // the one whose keys count; nil until one presses a key
	ended    bool
	err      error
	work     sync.WaitGroup // effects under way
}

// console is one terminal of a session.
type console struct {
	term          Terminal
	width, height int
	changed       chan struct{} // holds one when there is something new to show
	release       func() error  // gives the terminal away, for a shell
	restore       func() error
}

// canvas is what the console's screens are drawn for; the session's lock is held.
func (c *console) canvas() Canvas {
	return Canvas{Width: c.width, Height: c.height, ASCII: c.term.ASCII, Colour: c.term.Colour, Large: c.term.Large}
}

// NewSession begins with a wizard; now is the clock.
func NewSession(w Wizard, h Host, now func() time.Time) *Session {
	ctx, stop := context.WithCancel(context.Background())
	w, _ = w.Update(Tick{now()})
	return &Session{host: h, now: now, ctx: ctx, stop: stop, over: make(chan struct{}), wizard: w, consoles: map[*console]bool{}}
}

// Run keeps the clock until a person leaves (nil), ctx ends, or every console
// that there was is gone. An install under way is carried to its end first; an
// end of ctx stops it.
func (s *Session) Run(ctx context.Context) error {
	defer s.stop()
	defer context.AfterFunc(ctx, func() { s.end(context.Cause(ctx)) })()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.Send(Tick{s.now()})
			continue
		case <-s.over:
		}
		if ctx.Err() != nil {
			s.stop()
		}
		s.work.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.err
	}
}

// end ends the session, once.
func (s *Session) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended, s.err = true, err
		close(s.over)
	}
}

// Send gives the wizard an event and has its effects carried out.
func (s *Session) Send(ev Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send(ev)
}

// send is Send under the lock.
func (s *Session) send(ev Event) {
	if ev == nil {
		return
	}
	var effects []Effect
	s.wizard, effects = s.wizard.Update(ev)
	for _, e := range effects {
		if s.ended {
			break
		}
		s.work.Add(1)
		go func() {
			defer s.work.Done()
			s.Send(s.carryOut(e))
		}()
	}
	for c := range s.consoles {
		c.wake()
	}
}

// wake tells a console that there is something to show; it never waits.
func (c *console) wake() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// join adds a console.
func (s *Session) join(t Terminal) *console {
	c := &console{term: t, width: t.Width, height: t.Height, changed: make(chan struct{}, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.consoles[c] = true
	return c
}

// part takes a console away. Another one may lead then; without any, nobody can
// answer any more.
func (s *Session) part(c *console) {
	s.mu.Lock()
	delete(s.consoles, c)
	if s.leader == c {
		s.leader = nil
	}
	left := len(s.consoles)
	for c := range s.consoles {
		c.wake()
	}
	s.mu.Unlock()
	if left == 0 {
		s.end(Ended.New("cannot go on with the installer: have no console left, need one to answer on").
			Hint("attach a screen or a serial line and start the medium again"))
	}
}

// press is an event from a console: the first that presses a key leads, and the
// keys of the others do not count.
func (s *Session) press(c *console, events ...Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leader == nil {
		s.lead(c)
	}
	if s.leader != c {
		return
	}
	for _, ev := range events {
		s.send(ev)
	}
}

// takeOver makes a console the one that leads.
func (s *Session) takeOver(c *console) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lead(c)
}

func (s *Session) lead(c *console) {
	s.leader = c
	s.send(Resized{c.width, c.height, c.term.Large})
}

// large says whether the console is to have large letters.
func (s *Session) large(c *console) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.term.Large || s.wizard.large()
}

func (s *Session) resized(c *console, width, height int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.width, c.height = width, height
	if s.leader == c || s.leader == nil {
		s.send(Resized{width, height, c.term.Large})
	}
}

// view is what a console shows now, with the colour of its banner.
func (s *Session) view(c *console) (Screen, string) {
	s.mu.Lock()
	w, leader := s.wizard, s.leader
	canvas := c.canvas()
	s.mu.Unlock()
	if leader != nil && leader != c {
		canvas.Leader = leader.term.Name
	}
	return w.View(canvas), w.medium.Classification.Colour
}

// leads says whether a console's keys count, and who leads if they do not.
func (s *Session) leads(c *console) (bool, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leader == nil || s.leader == c {
		return true, ""
	}
	return false, s.leader.term.Name
}

// look is the wizard as it is.
func (s *Session) look() Wizard {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wizard
}

// shell gives the leading console to a shell and takes it back.
func (s *Session) shell() error {
	s.mu.Lock()
	c := s.leader
	s.mu.Unlock()
	if c == nil {
		return nil
	}
	if c.release != nil {
		if err := c.release(); err != nil {
			return err
		}
	}
	err := s.host.Shell(c.term.Name)
	if c.restore != nil {
		if back := c.restore(); err == nil {
			err = back
		}
	}
	return err
}
