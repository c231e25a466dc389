package tui

import (
	"time"
	"unicode"
)

// place is where in the status console a person is.
type place int

const (
	atStatus   place = iota
	atNobody         // no administrator has a password
	atWho            // which administrator
	atPassword       // the password
	atMenu
	atAsk     // yes or no
	atNetwork // the network's form
	atChange  // what a new network takes: yes or no
	atKeep    // the new network is in force, for a minute
)

// How often the node is looked at, when an answer is too old to pass for the
// present, and when a menu that nobody uses closes.
const (
	lookEvery = 5 * time.Second
	tooOld    = 30 * time.Second
	idle      = 2 * time.Minute
)

// A wrong password costs a second, then twice as long each time, never more than
// a minute: guessing is slow, and nobody is locked out.
const mostDelay = time.Minute

func delay(failures int) time.Duration {
	return min(mostDelay, time.Second<<min(failures-1, 10))
}

// mostPassword is below what PAM's helper reads (PAM_MAX_RESP_SIZE).
const mostPassword = 500

// Status is the whole status console as a value, as Wizard is the installer.
type Status struct {
	node    NodeState
	seen    time.Time // when node was true; zero before the first look
	asked   time.Time
	looking bool

	at     place
	focus  int
	scroll int
	help   bool // over the place
	under  int  // how far the place beneath it is scrolled
	size   Canvas
	now    time.Time
	last   time.Time // the last key

	who      string
	typed    string
	failures int
	wait     time.Time // no password counts until then

	act     Act
	wiring  wiringDraft
	busy    bool // the host is at work on a password or an act
	leaving bool
	said    string
	failed  error
}

// NewStatus is the status console before the first look.
func NewStatus() Status { return Status{size: Canvas{Width: 80, Height: 24}} }

// The events of the status console alone.
type (
	// Looked answers Look.
	Looked struct{ Node NodeState }
	// Admitted answers Admit; Err nil means that the password is right.
	Admitted struct{ Err error }
	// Did answers Do.
	Did struct {
		Said string
		Err  error
	}
)

func (Looked) event()   {}
func (Admitted) event() {}
func (Did) event()      {}

// The effects of the status console alone.
type (
	Look  struct{}
	Admit struct{ User, Password string }
	Do    struct{ Act Act }
)

func (Look) effect()  {}
func (Admit) effect() {}
func (Do) effect()    {}

// Update takes an event and says what is to be done because of it.
func (s Status) Update(ev Event) (Status, []Effect) {
	switch ev := ev.(type) {
	case Tick:
		return s.tick(ev.Now)
	case Resized:
		s.size.Width, s.size.Height, s.size.Large = ev.Width, ev.Height, ev.Large
		s.scroll = min(s.scroll, s.layout(s.size).most)
	case Looked:
		s.node, s.seen, s.looking = ev.Node, s.now, false
		s.scroll = min(s.scroll, s.layout(s.size).most)
	case Admitted:
		if !s.busy || s.at != atPassword {
			return s, nil // nobody asked
		}
		s.busy, s.last = false, s.now
		if ev.Err == nil {
			s.failures, s.wait = 0, time.Time{}
			return s.goTo(atMenu), nil
		}
		s.failures++
		s.wait = s.now.Add(delay(s.failures))
		s.failed = ev.Err
		s.scroll = s.layout(s.size).most
	case Did:
		if !s.busy || s.at != atAsk {
			return s, nil
		}
		s.busy, s.last = false, s.now
		s.leaving = ev.Err == nil && (s.act == Reboot || s.act == PowerOff)
		s = s.goTo(atMenu)
		s.said, s.failed = when(ev.Err == nil, ev.Said), ev.Err
		s.scroll = s.layout(s.size).most
	case Proposed, Switched, Settled:
		return s.rewired(ev), nil
	case Key:
		if s.busy || s.leaving {
			return s, nil
		}
		s.last = s.now
		return s.key(ev)
	}
	return s, nil
}

func (s Status) tick(now time.Time) (Status, []Effect) {
	s.now = now
	if (s.at != atStatus || s.help) && !s.busy && !s.leaving && now.Sub(s.last) >= idle {
		s = s.goTo(atStatus)
	}
	if s.at == atKeep && !s.busy && !now.Before(s.wiring.until) {
		s.busy = true
		return s, []Effect{Settle{Keep: false}}
	}
	if s.looking || !s.asked.IsZero() && now.Sub(s.asked) < lookEvery && !now.Before(s.asked) {
		return s, nil
	}
	s.looking, s.asked = true, now
	return s, []Effect{Look{}}
}

// goTo shows another place from its top; what was typed is forgotten.
func (s Status) goTo(p place) Status {
	s.at, s.focus, s.scroll, s.help, s.typed, s.said, s.failed = p, 0, 0, false, "", "", nil
	return s
}

func (s Status) key(k Key) (Status, []Effect) {
	if s.help || s.asksHelp(k) {
		return s.helpKey(k), nil
	}
	l := s.layout(s.size)
	if edited, ok := s.editNetwork(k); ok {
		return edited, nil
	}
	switch k.Kind {
	case KeyEsc, KeyInterrupt:
		switch s.at {
		case atChange:
			return s.backToForm(), nil
		case atAsk, atNetwork:
			return s.goTo(atMenu), nil
		case atKeep: // no way past the question
			return s, nil
		}
		return s.goTo(atStatus), nil
	case KeyPageUp:
		s.scroll = max(0, s.scroll-l.stride)
	case KeyPageDown:
		s.scroll = min(l.most, s.scroll+l.stride)
	case KeyUp, KeyBacktab:
		if s.focus == 0 {
			s.scroll = max(0, s.scroll-1)
		}
		s.focus = max(0, s.focus-1)
	case KeyDown, KeyTab:
		if n := s.choices(); s.focus < n-1 {
			s.focus++
		} else {
			s.scroll = min(l.most, s.scroll+1)
		}
	case KeyEnter:
		return s.enter()
	case KeyBackspace:
		if r := []rune(s.typed); len(r) > 0 {
			s.typed = string(r[:len(r)-1])
		}
	case KeyRune:
		if s.at == atPassword && unicode.IsPrint(k.Rune) && len(s.typed) < mostPassword {
			s.typed += string(k.Rune)
		}
	}
	return s, nil
}

// items are what can be chosen at this place.
func (s Status) items() []string {
	var out []string
	switch s.at {
	case atNobody:
		return []string{"Back"}
	case atWho:
		return s.node.Admins
	case atMenu:
		for _, a := range s.acts() {
			out = append(out, a.label)
		}
		return append(out, "Close the menu")
	case atAsk:
		return []string{"No", "Yes: " + s.inSentence()}
	case atChange:
		return []string{"No: back to the values", "Yes: put it into force for 60 seconds"}
	case atKeep:
		return []string{"Keep the new settings", "Bring the old ones back now"}
	}
	return nil
}

// choices is how many rows the keys can be on.
func (s Status) choices() int {
	if s.at == atNetwork {
		return len(s.wiring.fields()) + 2
	}
	return len(s.items())
}

func (s Status) enter() (Status, []Effect) {
	switch s.at {
	case atStatus:
		switch n := len(s.node.Admins); {
		case s.seen.IsZero():
			return s, nil
		case n == 0:
			return s.goTo(atNobody), nil
		case n > 1:
			return s.goTo(atWho), nil
		}
		s.who = s.node.Admins[0]
		return s.goTo(atPassword), nil
	case atWho:
		if len(s.node.Admins) == 0 { // it changed under the person's hands
			return s.goTo(atNobody), nil
		}
		s.who = s.node.Admins[min(s.focus, len(s.node.Admins)-1)]
		return s.goTo(atPassword), nil
	case atPassword:
		if s.typed == "" || s.now.Before(s.wait) {
			return s, nil
		}
		ask := Admit{s.who, s.typed}
		s.typed, s.failed, s.busy = "", nil, true
		return s, []Effect{ask}
	case atMenu:
		list := s.acts()
		if s.focus >= len(list) {
			return s.goTo(atStatus), nil
		}
		s.act = list[s.focus].act
		if s.act == ChangeNetwork {
			return s.toNetwork(), nil
		}
		return s.goTo(atAsk), nil
	case atAsk:
		if s.focus == 0 {
			return s.goTo(atMenu), nil
		}
		s.busy = true
		return s, []Effect{Do{s.act}}
	case atNetwork, atChange, atKeep:
		return s.enterNetwork()
	}
	return s.goTo(atStatus), nil
}
