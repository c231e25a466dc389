package tui

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Plain serves a dumb terminal or a screen reader: the same pages, line by line,
// as questions. An empty line keeps what stands in brackets; b goes back, ? asks
// for help, - empties a field, and = before an answer takes it as it is.
func (s *Session) Plain(ctx context.Context, t Terminal) error {
	if t.Width <= 0 || t.Height <= 0 {
		t.Width, t.Height = 80, 24
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	p := &prompter{s: s, c: s.join(t), out: t.Out, typed: make(chan string), failed: make(chan error, 1)}
	defer s.part(p.c)
	defer p.echo(true)
	if err := p.listen(ctx, t.In); err != nil {
		return err
	}
	for {
		if err := p.show(); err != nil {
			return err
		}
		select {
		case l := <-p.typed:
			p.echo(true)
			p.answer(l)
		case <-p.c.changed:
		case err := <-p.failed:
			return err
		case <-s.over:
			p.say("The installer ends here.")
			return p.err
		case <-ctx.Done():
			return nil
		}
	}
}

// prompter is the state of a plain console: what was said and what was asked.
type prompter struct {
	s     *Session
	c     *console
	out   io.Writer
	err   error // of out
	typed chan string

	failed chan error // the terminal ended

	shown  string // the page that was printed
	at     int    // the question on it
	asked  bool
	brief  bool   // the question was read a moment ago
	spoken string // of a page that waits
	cables string // what was said of the chosen cards' links
	silent bool   // the terminal does not show what is typed
}

func (p *prompter) say(format string, args ...any) {
	if _, err := fmt.Fprintf(p.out, format+"\n", args...); p.err == nil {
		p.err = err
	}
}

// tell prints lines, wrapped.
func (p *prompter) tell(lines []line) {
	for _, l := range lines {
		if l.bar != nil {
			continue
		}
		for _, r := range wrap(l, max(20, p.c.width-1), p.c.term.ASCII) {
			p.say("%s", strings.TrimRight(flat(r), " "))
		}
	}
}

// mark is what tells one page to be printed from another; each answer of
// the network makes another one.
func mark(w Wizard) string {
	id := ""
	if w.plan != nil && (w.step == review || w.step == confirm) {
		id = string(w.plan.ID)
	}
	return fmt.Sprint(w.step, w.over, id, w.waiting["secrets"], w.waiting["password"], w.seal.open, w.planErr, w.checked, w.facts != nil, w.asking != nil, fmt.Sprintf("%p", w.asked), w.install.ended, w.said, w.failed)
}

// live says that a page waits for work of others: what it says changes by itself.
func live(w Wizard, p page) bool {
	return len(p.fields) == 0 || w.step == progress && !w.install.ended && w.over == nothing
}

// show prints what is new, and asks.
func (p *prompter) show() error {
	w := p.s.look()
	pg := w.page()
	if m := mark(w); m != p.shown {
		p.shown, p.at, p.asked, p.spoken = m, 0, false, ""
		p.brief = false
		p.say("")
		if l := w.medium.Classification.Label; l != "" {
			p.say("%s", clean(l, true))
		}
		n, of := w.place()
		p.say("Step %d of %d: %s", n, of, pg.title)
		lines := pg.lines
		if live(w, pg) && (w.step == medium || w.step == progress) {
			lines = []line{say("This takes a while. Type ? for help.")}
		}
		if w.over == menu {
			lines = nil // it speaks of keys
		}
		lines = slices.Concat(lines, pg.foot, w.status(pg))
		for len(lines) > 0 && blank(lines[len(lines)-1]) {
			lines = lines[:len(lines)-1]
		}
		p.tell(lines)
		p.cables = cables(w)
		if w.tried { // it was come back to, with something to mend
			p.complain(pg)
		}
	} else if now := cables(w); now != p.cables {
		p.cables, p.asked = now, false
		p.say("\n%s", now)
	}
	if w.leaving != "" {
		if p.spoken != w.leaving {
			p.spoken = w.leaving
			p.say("Leaving. Please wait.")
		}
		return p.err
	}
	if live(w, pg) {
		if now := news(w); now != "" && now != p.spoken {
			p.spoken = now
			p.say("%s", now)
		}
		return p.err
	}
	if leads, who := p.s.leads(p.c); !p.asked && leads {
		p.ask(w, pg)
	} else if !leads && !p.asked {
		p.say("%s leads. Type t to work from here.", who)
	}
	p.asked = true
	return p.err
}

// cables says whether the chosen cards have a link, where it matters.
func cables(w Wizard) string {
	if w.step != networkPage && w.step != review {
		return ""
	}
	lines := w.cardProblems()
	if len(lines) == 0 {
		lines = []line{marked(OK, "every card that is chosen has a link")}
	}
	var out []string
	for _, l := range lines {
		out = append(out, flat(l.spans))
	}
	return strings.Join(out, "\n")
}

// news is how far the work of others is, in tenths.
func news(w Wizard) string {
	tenths := func(k work) string {
		if n := k.percent() / 10; n > 0 {
			return fmt.Sprintf(", %d percent", n*10)
		}
		return ""
	}
	switch {
	case w.waiting["secrets"]:
		return "Opening the secrets."
	case w.waiting["password"]:
		return "Making the hash of the password."
	case w.step == medium:
		return "Checking the medium" + tenths(w.check) + "."
	case w.step == progress && w.install.step > 0 && w.install.step <= len(w.plan.Steps):
		return fmt.Sprintf("Step %d of %d: %s%s.", w.install.step, len(w.plan.Steps), stepName(w.plan.Steps[w.install.step-1]), tenths(w.install.work))
	}
	return ""
}

// questions are the fields that are asked one by one; what can be done then is
// asked last, as one question.
func questions(pg page) (ask, do []field) {
	for _, f := range pg.fields {
		if f.kind == action {
			do = append(do, f)
		} else if f.id != FieldShow { // of use on a screen only
			ask = append(ask, f)
		}
	}
	return ask, do
}

func (p *prompter) ask(w Wizard, pg page) {
	ask, do := questions(pg)
	if p.brief {
		p.brief = false
		p.prompt("Number")
		return
	}
	p.say("")
	if p.at >= len(ask) {
		for i, f := range do {
			p.say("%3d  %s", i+1, clean(f.label, p.c.term.ASCII))
		}
		p.prompt("Number [1]")
		return
	}
	f := ask[p.at]
	have := clean(w.value(f.id), p.c.term.ASCII)
	switch f.kind {
	case choice:
		p.say("%s:", f.label)
		for i, o := range f.options {
			label := strings.Join(strings.Fields(clean(o.label, p.c.term.ASCII)), " ")
			p.say("%3d  %s", i+1, label)
			if o.refused != "" {
				p.tell([]line{inset("", "cannot be taken: "+o.refused)})
			}
			for _, l := range o.more {
				p.tell([]line{{spans: append([]Span{{"     ", Plain}}, l.spans...), hang: 5}})
			}
		}
		if i := f.option(w.draft.get(f.id)); i >= 0 {
			p.prompt(fmt.Sprintf("Number [%d]", i+1))
		} else {
			p.prompt("Number")
		}
	case toggle:
		p.prompt(strings.Join(strings.Fields(clean(f.label, p.c.term.ASCII)), " ") + ", y or n [" + box(have != "", "y", "n") + "]")
	default:
		if f.hidden {
			p.prompt(p.secretly(f.label, have))
			return
		}
		label := f.label
		if f.form != "" {
			label += " (" + f.form + ")"
		}
		p.prompt(label + " [" + have + "]")
	}
}

func (p *prompter) prompt(text string) {
	if _, err := fmt.Fprint(p.out, text+": "); p.err == nil {
		p.err = err
	}
}
