package tui

import (
	"reflect"
	"time"

	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/spec"
)

// step is a screen of the way through.
type step int

const (
	welcome step = iota
	medium
	machinePage
	rolePage
	diskPage
	networkPage
	namePage
	timePage
	usersPage
	secretsPage // only if the medium brings some that the role gets
	review
	confirm
	progress
	done
	steps // how many there are
)

// over is what lies over a step.
type over int

const (
	nothing over = iota
	menu         // help, and what can be done from anywhere
	log          // the messages of an install
)

// Wizard is the whole state of the screens. It is a value: Update gives the next
// one and leaves the old as it was.
type Wizard struct {
	medium Medium
	facts  *Facts // nil until the medium was checked; never changed in place
	draft  Draft

	step   step
	over   over
	focus  int // field of the page
	cursor int // option under the keys, or place in the text
	scroll int // rows of the text above the screen
	size   Canvas
	tried  bool // the page's errors are shown
	now    time.Time

	said    string // what an effect ended with
	failed  error
	waiting map[string]bool // effects under way, by name

	check   work
	checked error // the medium's fault
	gone    error // why it cannot be read any more
	without bool  // the person goes on without answers that cannot be used

	links  map[string]bool // cables, as they were last seen; nil before that
	asking *question       // to the network, under way
	asked  *answered       // the last one that was answered

	number  int          // of the last plan asked for
	planned spec.Answers // that it was asked for with, complete
	plan    *plan.Plan
	planErr error

	seal     seal
	password password
	install  installing
	result   *Result
	leaving  string
}

// Update takes an event and says what is to be done because of it.
func (w Wizard) Update(ev Event) (Wizard, []Effect) {
	if w.leaving != "" {
		switch ev.(type) {
		case Left, Tick, Resized:
		default:
			return w, nil // nothing else counts any more
		}
	}
	switch ev := ev.(type) {
	case Key:
		return w.key(ev)
	case Tick:
		return w.tick(ev.Now)
	case Resized:
		w.size.Width, w.size.Height, w.size.Large = ev.Width, ev.Height, ev.Large
		w.scroll = min(w.scroll, w.layout(w.size).most)
		return w, nil
	case Fill:
		p := w.page()
		i := p.find(ev.Field)
		if i < 0 || p.fields[i].kind == action || p.fields[i].kind == choice && p.fields[i].option(ev.Value) < 0 {
			return w, nil
		}
		w.focus = i
		return w.fill(ev.Field, ev.Value).settle(), nil
	case Press:
		if i := w.page().find(ev.Field); i >= 0 {
			w.focus = i
			return w.settle().enter()
		}
		return w, nil
	case InstallEvent:
		if w.step == progress {
			w.install = w.install.take(ev.Event, w.now)
		}
		return w, nil
	}
	return w.answered(ev)
}

// answered takes what effects ended with.
func (w Wizard) answered(ev Event) (Wizard, []Effect) {
	switch ev := ev.(type) {
	case MediumProgress:
		if w.waiting["verify"] {
			w.check = w.check.at(ev.Done, ev.Total, w.now)
		}
	case MediumOK:
		if !w.waiting["verify"] {
			return w, nil
		}
		w = w.waits("verify", false)
		if have := ev.Facts.Manifest; have != w.medium.Manifest {
			w.checked = Changed.New("cannot use the medium: have the manifest %s, need %s, which the first screen showed", have, w.medium.Manifest).
				Hint("was the medium changed? Start the machine from it again")
			return w, nil
		}
		facts := ev.Facts
		facts.Machine = w.cabled(facts.Machine)
		w.facts, w.checked = &facts, nil
		var effects []Effect
		if !w.waiting["links"] { // the watch goes on to the end
			w, effects = w.waits("links", true), []Effect{WatchLinks{}}
		}
		if w.refusesAnswers() {
			return w.settle(), effects
		}
		w, more := w.begin()
		return w, append(effects, more...)
	case MediumFailed:
		if w.waiting["verify"] {
			w = w.waits("verify", false)
			w.checked = ev.Err
		}
	case Rescanned:
		return w.rescanned(ev), nil
	case Links:
		return w.linked(ev.Up), nil
	case AddressAsked:
		return w.addressAsked(ev)
	case Watched:
		return w.waits("watch", false).watched(ev.Err)
	case Planned:
		if ev.Number != w.number || !w.waiting["plan"] {
			return w, nil // the answer to a question that no longer stands
		}
		w = w.waits("plan", false)
		w.plan, w.planErr = nil, ev.Err
		if p := ev.Plan; ev.Err == nil {
			w.plan = &p
		}
		w.focus = 0
		w = w.settle()
	case Installed:
		return w.installed(ev), nil
	case SecretsOpened:
		return w.unsealed(ev)
	case Hashed:
		return w.hashed(ev)
	case KeysRead:
		return w.keysRead(ev), nil
	case Saved:
		w = w.waits("save", false).ended("The answers are saved: "+ev.Where, ev.Err)
	case Bundled:
		w = w.waits("bundle", false).ended("The support bundle is saved: "+ev.Where, ev.Err)
	case ClockSet:
		w = w.waits("clock", false).ended("The clock is set.", ev.Err)
		if ev.Err == nil {
			w.tried = false
		}
	case Left:
		w = w.waits("shell", false).ended("", ev.Err)
		w.leaving = ""
	}
	return w, nil
}

func (w Wizard) tick(now time.Time) (Wizard, []Effect) {
	w.now = now
	if now.Second()%5 != 0 {
		return w, nil
	}
	var look []Effect
	if w.watches() && !w.waiting["watch"] {
		w = w.waits("watch", true)
		look = append(look, Watch{})
	}
	// Cables and disks come and go while one looks.
	live := w.step == machinePage || w.step == diskPage || w.step == networkPage
	if live && !w.waiting["rescan"] && w.over == nothing {
		w = w.waits("rescan", true)
		look = append(look, Rescan{})
	}
	return w, look
}

func (w Wizard) rescanned(ev Rescanned) Wizard {
	w = w.waits("rescan", false)
	if ev.Err != nil || w.facts == nil || w.step >= progress {
		return w.ended("", ev.Err)
	}
	ev.Machine = w.cabled(ev.Machine)
	if reflect.DeepEqual(w.facts.Machine, ev.Machine) && reflect.DeepEqual(w.facts.Refused, ev.Refused) {
		return w
	}
	facts := *w.facts
	facts.Machine, facts.Refused = ev.Machine, ev.Refused
	w.facts = &facts
	return w.stale().settle().kept(w)
}

// waits notes that an effect is under way, or no longer.
func (w Wizard) waits(what string, is bool) Wizard {
	next := map[string]bool{}
	for k, v := range w.waiting {
		next[k] = v
	}
	next[what] = is
	w.waiting = next
	return w
}

// ended shows what an effect ended with.
func (w Wizard) ended(said string, err error) Wizard {
	if err != nil {
		said = ""
	}
	if err != nil || said != "" {
		w = w.reveal(said, err)
	}
	return w
}

// reveal shows what an act ended with, where it can be seen.
func (w Wizard) reveal(said string, err error) Wizard {
	w.said, w.failed = said, err
	w.scroll = w.layout(w.size).most
	return w
}

// stale drops the plan: what it was made from has changed.
func (w Wizard) stale() Wizard {
	w.number++
	w.plan, w.planErr = nil, nil
	w.draft = w.draft.with(FieldTyped, "")
	w = w.waits("plan", false)
	if w.step == review || w.step == confirm {
		w.step, w.over = usersPage, nothing
	}
	return w
}

// goTo shows a step from its top.
func (w Wizard) goTo(s step) Wizard {
	if s != secretsPage {
		w = w.forget()
	}
	if s != usersPage {
		w = w.forgetPassword()
	}
	w.step, w.over, w.focus, w.scroll = s, nothing, 0, 0
	w.tried, w.said, w.failed, w.asking = false, "", nil, nil
	if s == timePage && w.draft.get(FieldClock) == "" && !w.now.IsZero() {
		w.draft = w.draft.with(FieldClock, stamp(w.now))
	}
	return w.settle()
}

// open lays something over the step, or takes it away.
func (w Wizard) open(o over) Wizard {
	w.over, w.focus, w.scroll = o, 0, 0
	w.said, w.failed = "", nil
	return w.settle()
}
