package tui

import (
	"strconv"
	"strings"
)

// answer takes a line that was typed.
func (p *prompter) answer(typed string) {
	l := strings.TrimSpace(typed)
	if l == "t" {
		p.s.takeOver(p.c)
		p.asked = false
		return
	}
	w := p.s.look()
	pg := w.page()
	p.asked = false
	switch {
	case l == "?":
		for _, h := range append(pg.help[:len(pg.help):len(pg.help)], "An empty line keeps what stands in brackets. b: back. -: empty the field. =x: the answer x, even if it is b.", "m: support bundle, restart, power off.") {
			p.tell([]line{say(h)})
		}
		return
	case l == "m":
		p.s.press(p.c, Key{Kind: KeyInterrupt})
		return
	case l == "b":
		if ask, _ := questions(pg); p.at > 0 && len(ask) > 0 && !live(w, pg) {
			p.at--
			return
		}
		p.s.press(p.c, Key{Kind: KeyEsc})
		return
	case live(w, pg):
		return
	}
	if ask, _ := questions(pg); p.at < len(ask) && ask[p.at].hidden && l != "" && l != "-" {
		l = typed // blanks count in what is not shown
	}
	p.take(w, pg, l)
}

// take is an answer to the question that was asked.
func (p *prompter) take(w Wizard, pg page, l string) {
	ask, do := questions(pg)
	if p.at >= len(ask) {
		if i := number(l, 1, len(do)); i > 0 {
			p.s.press(p.c, Press{do[i-1].id})
			p.complain(pg)
		} else {
			p.needNumber(len(do))
		}
		return
	}
	f := ask[p.at]
	switch f.kind {
	case choice:
		i := number(l, f.option(w.draft.get(f.id))+1, len(f.options))
		if i == 0 {
			p.needNumber(len(f.options))
			return
		}
		if o := f.options[i-1]; o.refused != "" {
			p.say("It cannot be taken: %s.", clean(o.refused, p.c.term.ASCII))
			p.brief = true
			return
		}
		p.s.press(p.c, Fill{f.id, f.options[i-1].value})
		if f.do != nil {
			p.s.press(p.c, Press{f.id})
			p.complain(pg)
			return
		}
	case toggle:
		if l != "" {
			p.s.press(p.c, Fill{f.id, box(strings.HasPrefix(strings.ToLower(l), "y"), yes, "")})
		}
	default:
		switch {
		case l != "" && f.hidden && (l != "-" || f.id == FieldPhrase):
			p.s.press(p.c, Fill{f.id, l}) // whatever it begins with
		case l != "":
			p.s.press(p.c, Fill{f.id, strings.TrimPrefix(box(l == "-", "", l), "=")})
		}
		if wrong := p.s.look().errors()[f.id]; len(wrong) > 0 && f.id != FieldClock {
			p.wrong(wrong)
			return
		}
	}
	p.at++
}

func (p *prompter) needNumber(most int) {
	p.say("Need a number from 1 to %d.", most)
	p.brief = true
}

// complain says why an action did not lead on, and asks what is wrong anew.
func (p *prompter) complain(pg page) {
	w := p.s.look()
	if !w.tried || mark(w) != p.shown {
		return
	}
	wrong := w.errors()
	if err := w.typedError(); w.step == confirm && err != nil {
		wrong[FieldTyped] = []error{err}
	}
	ask, _ := questions(pg)
	for i, f := range ask {
		if len(wrong[f.id]) > 0 {
			p.wrong(wrong[f.id])
			p.at = i
			return
		}
	}
}

func (p *prompter) wrong(errs []error) {
	for _, err := range errs {
		p.tell(under(err))
	}
}

// number reads a number from 1 to most; an empty line means the one given.
func number(l string, empty, most int) int {
	if l == "" {
		return min(empty, most)
	}
	if i, err := strconv.Atoi(l); err == nil && i >= 1 && i <= most {
		return i
	}
	return 0
}

// echo makes the terminal show what is typed, or not.
func (p *prompter) echo(on bool) {
	if p.c.term.Echo == nil || on == !p.silent {
		return
	}
	if p.silent = !on; on {
		p.say("") // the line's end was not shown either
	}
	p.c.term.Echo(on)
}

// secretly asks for what shall not be shown.
func (p *prompter) secretly(label, have string) string {
	how := "it is shown while you type"
	if p.c.term.Echo != nil {
		p.echo(false)
		how = "not shown while you type"
	}
	return label + " (" + how + ") [" + box(have != "", "as typed before", "") + "]"
}
