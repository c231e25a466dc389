package tui

import (
	"fmt"
	"slices"
	"strings"
)

// layout is a page laid out for a canvas.
type layout struct {
	text   [][]Span // all of the text's rows
	room   int      // rows of the screen that the text has
	fields [][]Span
	side   []line // to the right of both
	wide   int    // columns that side takes, with the gap
	most   int    // the farthest that the text can be scrolled
	stride int    // rows of one scrolling
	cursor *[2]int
}

// large says whether a person wants large print.
func (w Wizard) large() bool { return w.draft.get(FieldLarge) != "" }

// layout fits the page into the rows between the rules. Fields stay in sight:
// text that has no room is scrolled, and so are fields around the focus.
func (w Wizard) layout(c Canvas) layout {
	c.Large = c.Large || w.large()
	p := w.page()
	width, height := inner(c.Width), max(1, c.Height-frameRows)
	var l layout
	if code := square(p.square, c.ASCII); len(code) > 0 && height >= len(code) {
		if wide := cells(code[0].spans) + 2; width-wide >= leastBeside {
			l.side, l.wide = code, wide
			width -= wide
		}
	}
	lines := slices.Concat(p.lines, w.status(p))
	if n := len(lines); n > 0 && len(p.fields) > 0 && !blank(lines[n-1]) {
		lines = append(lines, line{})
	}
	for _, x := range lines {
		l.text = append(l.text, draw(x, width, c)...)
	}
	fields, at, cursor := w.fieldRows(p, width, c)
	if len(p.foot) > 0 && !c.Large {
		fields = append(fields, nil)
	}
	for _, x := range p.foot {
		fields = append(fields, draw(x, width, c)...)
	}
	focus := 0
	if len(at) > 0 {
		focus = at[min(w.focus, len(at)-1)]
	}
	if n := len(p.fields); len(p.foot) > 0 && n > 0 && w.focus == n-1 && w.cursor >= len(p.fields[n-1].options)-1 {
		focus += (height-min(len(l.text), height/3))/2 - 1 // the last row to the top: the foot comes into sight
	}
	l.fit(fields, focus, cursor, height)
	return l
}

// fit shares height rows out between the text and the fields; focus is the row
// of the fields that must be in sight.
func (l *layout) fit(fields [][]Span, focus int, cursor *[2]int, height int) {
	l.room = height - len(fields)
	if len(l.text) > l.room {
		l.room = max(l.room, min(len(l.text), height/3))
	}
	l.room = max(0, min(l.room, len(l.text)))
	if over := len(fields) - (height - l.room); over > 0 { // around the focus
		top := max(0, min(focus-(height-l.room)/2, over))
		fields = fields[top : top+height-l.room]
		if cursor != nil {
			cursor[1] -= top
		}
	}
	l.fields, l.cursor = fields, cursor
	l.most = max(0, len(l.text)-l.room)
	l.stride = max(1, l.room/2)
}

// status is what the last act ended with, beneath the text.
func (w Wizard) status(p page) []line {
	var out []line
	switch {
	case w.failed != nil:
		out = faultLines(w.failed)
	case w.said != "":
		out = []line{marked(OK, w.said)}
	case w.waiting["keys"]:
		out = []line{say("Reading the stick...")}
	case w.waiting["save"] || w.waiting["bundle"]:
		out = []line{say("Writing to the stick...")}
	}
	if len(out) > 0 && len(p.lines) > 0 && !blank(p.lines[len(p.lines)-1]) {
		out = append([]line{{}}, out...)
	}
	return out
}

func blank(l line) bool { return len(l.spans) == 0 && l.bar == nil }

// inner is the width that text has: a column is left free on both sides.
func inner(width int) int { return max(1, min(width, mostWidth)-4) }

func draw(l line, width int, c Canvas) [][]Span {
	switch {
	case c.Large && (l.dim || blank(l)): // each line is followed by an empty one
		return nil
	case l.bar != nil:
		return [][]Span{bar(*l.bar, width, c.ASCII)}
	case len(l.spans) == 0:
		return [][]Span{nil}
	}
	rows := wrap(l, width, c.ASCII)
	if c.Large {
		for i, r := range rows {
			for j := range r {
				if r[j].Role == Plain || r[j].Role == Dim {
					rows[i][j].Role = Strong
				}
			}
		}
		rows = append(rows, nil)
	}
	return rows
}

func bar(b work, width int, ascii bool) []Span {
	full, empty := "█", "░"
	if ascii {
		full, empty = "#", "."
	}
	width = min(width, 60)
	n := b.percent() * width / 100
	return []Span{{strings.Repeat(full, n), OK}, {strings.Repeat(empty, width-n), Dim}}
}

// beside puts side to the right of the body's rows.
func beside(body [][]Span, side []line, left int) [][]Span {
	for len(body) < len(side) {
		body = append(body, nil)
	}
	for i, s := range side {
		body[i] = append(cut(body[i], left), s.spans...)
	}
	return body
}

// View draws the screen.
func (w Wizard) View(c Canvas) Screen {
	p := w.page()
	return frame{label: w.medium.Classification.Label, scroll: w.scroll,
		lay:    w.layout,
		header: func(width int, c Canvas) []Span { return w.header(p, width, c) },
		keys:   func(c Canvas) string { return w.keysLine(p, c) },
	}.draw(c)
}

func (w Wizard) header(p page, width int, c Canvas) []Span {
	text := clean(fmt.Sprintf("Caisson installer - %s - ", w.medium.Enclave), c.ASCII)
	n, of := w.place()
	at := fmt.Sprintf("step %d of %d: ", n, of)
	return cut([]Span{{text, Dim}, {at, Plain}, {clean(p.title, c.ASCII), Strong}}, width)
}

// keysLine says which keys do something here.
func (w Wizard) keysLine(p page, c Canvas) string {
	switch {
	case w.leaving != "":
		return "Leaving. Please wait."
	case c.Leader != "":
		return clean(c.Leader, c.ASCII) + " leads.   Ctrl-T: work from here"
	case len(p.fields) == 0:
		return "Please wait.   ?: help"
	}
	enter := "Enter: do it"
	if w.unread(p, w.layout(c)) {
		enter = "Enter: read on"
	}
	switch f := p.fields[min(w.focus, len(p.fields)-1)]; f.kind {
	case choice:
		enter = "Enter: take it"
	case text:
		enter = "Enter: next"
	case toggle:
		enter = "Enter: on or off"
	}
	esc := "Esc: back"
	if w.over == nothing && (w.step == welcome || w.step >= progress) {
		esc = "Esc: menu"
	}
	return enter + "   Up, Down: move   " + esc + "   ?: help"
}
