package tui

import (
	"slices"
	"strings"
	"unicode"
)

// mostTyped is more than any field needs: a long RSA key has 800 characters.
const mostTyped = 2000

// key is what a key press does. It depends on the page alone.
func (w Wizard) key(k Key) (Wizard, []Effect) {
	p := w.page()
	var f field
	if len(p.fields) > 0 {
		f = p.fields[min(w.focus, len(p.fields)-1)]
	}
	typing := f.kind == text && len(p.fields) > 0
	if k.Kind == KeyRune && k.Rune == '?' && !(typing && (f.id == FieldKey || secret(f.id))) {
		k = Key{Kind: KeyHelp}
	}
	switch k.Kind {
	case KeyHelp, KeyInterrupt:
		if w.over != nothing {
			return w.open(nothing), nil
		}
		return w.open(menu), nil
	case KeyEsc:
		return w.back(), nil
	case KeyUp:
		return w.up(p, f), nil
	case KeyDown:
		return w.down(p, f), nil
	case KeyTab:
		return w.move(p, 1), nil
	case KeyBacktab:
		return w.move(p, -1), nil
	case KeyPageUp:
		w.scroll = max(0, w.scroll-w.layout(w.size).stride)
		return w, nil
	case KeyPageDown:
		l := w.layout(w.size)
		w.scroll = min(l.most, w.scroll+l.stride)
		return w, nil
	case KeyEnter:
		if l := w.layout(w.size); w.unread(p, l) {
			w.scroll = min(l.most, w.scroll+max(1, l.room-1))
			return w, nil
		}
		return w.enter()
	}
	switch {
	case typing:
		return w.edit(f, k), nil
	case f.kind == toggle && (k.Kind == KeyLeft || k.Kind == KeyRight || k.Rune == ' '):
		return w.flip(f), nil
	case f.kind == choice && k.Rune == ' ' && len(f.options) > 0:
		return w.choose(f), nil
	}
	return w, nil
}

// back goes one screen back. What was written or is being written stays.
func (w Wizard) back() Wizard {
	switch {
	case w.over != nothing:
		return w.open(nothing)
	case w.step == welcome || w.step >= progress || w.waiting["verify"]:
		return w.open(menu)
	case w.step == machinePage:
		return w.goTo(welcome)
	}
	return w.goTo(w.shown(w.step-1, -1))
}

func (w Wizard) up(p page, f field) Wizard {
	switch {
	case f.kind == choice && w.cursor > 0:
		w.cursor--
	case w.focus > 0:
		w = w.move(p, -1)
	default:
		w.scroll = max(0, w.scroll-w.layout(w.size).stride)
	}
	return w
}

func (w Wizard) down(p page, f field) Wizard {
	l := w.layout(w.size)
	switch {
	case p.reading && w.scroll < l.most:
		w.scroll = min(l.most, w.scroll+l.stride)
	case f.kind == choice && w.cursor < len(f.options)-1:
		w.cursor++
	case w.focus < len(p.fields)-1:
		w = w.move(p, 1)
	default:
		w.scroll = min(l.most, w.scroll+l.stride)
	}
	return w
}

// move goes to another field, and stops at both ends.
func (w Wizard) move(p page, by int) Wizard {
	w.focus += by
	return w.settleOn(p, by < 0)
}

// settle puts focus and cursor where the page has something.
func (w Wizard) settle() Wizard { return w.settleOn(w.page(), false) }

// settleOn does the same for a page at hand; upward says that a choice with
// nothing chosen is come upon from below.
func (w Wizard) settleOn(p page, upward bool) Wizard {
	w.focus = max(0, min(w.focus, len(p.fields)-1))
	w.cursor = 0
	if len(p.fields) == 0 {
		return w
	}
	switch f := p.fields[w.focus]; f.kind {
	case text:
		w.cursor = len([]rune(w.value(f.id)))
	case choice:
		w.cursor = f.option(w.draft.get(f.id))
		if w.cursor < 0 && upward {
			w.cursor = len(f.options) - 1
		}
		w.cursor = max(0, w.cursor)
	}
	return w
}

// kept puts focus and cursor where they were before, if that is still there.
func (w Wizard) kept(before Wizard) Wizard {
	was, is := before.page(), w.page()
	if len(was.fields) == 0 || before.step != w.step {
		return w
	}
	f := was.fields[min(before.focus, len(was.fields)-1)]
	i := is.find(f.id)
	switch {
	case i < 0:
		return w
	case f.kind == choice && before.cursor < len(f.options):
		w.cursor = max(0, is.fields[i].option(f.options[before.cursor].value))
	case f.kind == text:
		w.cursor = before.cursor
	}
	w.focus = i
	return w
}

// enter does what the field under the keys is for.
func (w Wizard) enter() (Wizard, []Effect) {
	p := w.page()
	if len(p.fields) == 0 {
		return w, nil
	}
	f := p.fields[min(w.focus, len(p.fields)-1)]
	w.said, w.failed = "", nil
	switch f.kind {
	case toggle:
		return w.flip(f), nil
	case choice:
		if len(f.options) > 0 {
			w = w.choose(f)
		}
		if w.failed != nil {
			return w, nil
		}
	}
	if f.do != nil {
		return f.do(w)
	}
	return w.move(w.page(), 1), nil
}

func (w Wizard) flip(f field) Wizard {
	on := yes
	if w.draft.get(f.id) == on {
		on = ""
	}
	return w.fill(f.id, on)
}

// choose takes the option under the keys, unless it is refused.
func (w Wizard) choose(f field) Wizard {
	o := f.options[min(w.cursor, len(f.options)-1)]
	if o.refused != "" {
		return w.reveal("", Refused.New("cannot take it: have %s: %s, need another", strings.Join(strings.Fields(o.label), " "), o.refused))
	}
	w.failed = nil
	return w.fill(f.id, o.value)
}

// fill keeps what was given for a field. Whatever goes into the answers voids
// the plan that was made from them.
func (w Wizard) fill(id Field, value string) Wizard {
	runes := []rune(value)
	if len(runes) > mostTyped {
		value = string(runes[:mostTyped])
	}
	if secret(id) {
		return w.fillSecret(id, value)
	}
	if w.draft.get(id) == value {
		return w
	}
	if w.draft = w.draft.with(id, value); id == FieldRole && w.facts != nil {
		w.draft = w.draft.of(value, *w.facts)
	}
	if id != FieldTyped && id != FieldLarge && id != FieldShow && id != FieldClock {
		w = w.stale()
	}
	return w
}

// edit is a key in a text.
func (w Wizard) edit(f field, k Key) Wizard {
	have := []rune(w.value(f.id))
	at := min(w.cursor, len(have))
	switch k.Kind {
	case KeyLeft:
		at = max(0, at-1)
	case KeyRight:
		at = min(len(have), at+1)
	case KeyHome:
		at = 0
	case KeyEnd:
		at = len(have)
	case KeyBackspace:
		if at > 0 {
			have, at = slices.Delete(have, at-1, at), at-1
		}
	case KeyDelete:
		if at < len(have) {
			have = slices.Delete(have, at, at+1)
		}
	case KeyRune:
		if unicode.IsPrint(k.Rune) && len(have) < mostTyped {
			have, at = slices.Insert(have, at, k.Rune), at+1
		}
	}
	w = w.fill(f.id, string(have))
	w.cursor = at
	return w
}
