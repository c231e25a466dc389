package tui

import "strings"

// fieldRows draws the fields; at is the row of each one's focus, cursor the
// place of the cursor in a text under the keys.
func (w Wizard) fieldRows(p page, width int, c Canvas) (rows [][]Span, at []int, cursor *[2]int) {
	wrong := map[Field][]error{}
	if w.tried && w.over == nothing {
		wrong = w.errors()
		if w.step == confirm {
			if err := w.typedError(); err != nil {
				wrong[FieldTyped] = []error{err}
			}
		}
	}
	labels := 0
	for _, f := range p.fields {
		if f.group != "" || f.kind == text || f.kind == choice && len(p.fields) > 2 {
			labels = max(labels, len(box(f.kind == toggle, f.group, f.label))+2)
		}
	}
	for i, f := range p.fields {
		focus := i == w.focus
		if i > 0 && (f.kind == action) != (p.fields[i-1].kind == action) {
			rows = append(rows, nil)
		}
		at = append(at, len(rows))
		switch f.kind {
		case action:
			rows = append(rows, item(focus, "", f.label, c))
		case toggle:
			row := item(focus, box(w.draft.get(f.id) != "", "[x] ", "[ ] "), f.label, c)
			if labels > 0 {
				row = append([]Span{{"  " + pad(f.group, labels-2), Plain}}, row...)
			}
			rows = append(rows, cut(row, width))
		case text:
			row, x := w.input(f, focus, labels, width)
			if focus {
				cursor = &[2]int{x, len(rows)}
			}
			rows = append(rows, row)
		case choice:
			drawn, on := w.options(f, focus, labels, width, c)
			at[i] += on
			rows = append(rows, drawn...)
		}
		for _, err := range wrong[f.id] {
			for _, l := range under(err) {
				l.spans = append([]Span{{strings.Repeat(" ", labels+2), Plain}}, l.spans...)
				l.hang += labels + 2
				rows = append(rows, wrap(l, width, c.ASCII)...)
			}
		}
		if c.Large {
			rows = append(rows, nil)
		}
	}
	return rows, at, cursor
}

func box(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

// item is a row that can have the keys: an arrow says so beside the colour.
func item(focus bool, mark, label string, c Canvas) []Span {
	label = clean(label, c.ASCII)
	if focus {
		return []Span{{"> ", Strong}, {mark + label, Focus}}
	}
	return []Span{{"  ", Plain}, {mark + label, Plain}}
}

// input is a text with its label; x is the cursor's column.
func (w Wizard) input(f field, focus bool, labels, width int) (row []Span, x int) {
	have := []rune(clean(w.value(f.id), false))
	if f.hidden {
		have = []rune(strings.Repeat("*", len(have)))
	}
	room := max(8, min(f.width, width-labels-6))
	from := 0
	if focus {
		from = max(0, min(w.cursor, len(have))-room+1)
	}
	shown := have[from:min(len(have), from+room)]
	r := Plain
	if focus {
		r = Strong
	}
	row = []Span{{box(focus, "> ", "  "), Strong}, {pad(f.label, labels), r}, {"[", Dim}, {pad(string(shown), room), Input}, {"]", Dim}}
	if n := width - cells(row) - 2; n >= len(f.form) {
		row = append(row, Span{"  " + f.form, Dim})
	}
	return row, 3 + labels + min(w.cursor, len(have)) - from
}

// options are the answers of a choice; on is the row under the keys.
func (w Wizard) options(f field, focus bool, labels, width int, c Canvas) (rows [][]Span, on int) {
	have := w.draft.get(f.id)
	for i, o := range f.options {
		here := focus && i == w.cursor
		if here {
			on = len(rows)
		}
		mark := box(o.value == have && f.option(have) == i, "(*) ", "( ) ")
		if o.refused != "" {
			mark = "[-] "
		}
		row := item(here, mark, o.label, c)
		if labels > 0 {
			label := "  " + pad(box(i == 0, f.label, ""), labels-2)
			row = append([]Span{{label, Plain}}, row...)
		}
		rows = append(rows, cut(row, width))
		more := o.more
		if o.refused != "" {
			more = append([]line{{spans: []Span{{"cannot be taken: " + o.refused, Bad}}}}, more...)
		}
		for _, l := range more {
			if c.Large && l.dim {
				continue
			}
			indent := strings.Repeat(" ", labels+6)
			l.spans, l.hang = append([]Span{{indent, Plain}}, l.spans...), l.hang+len(indent)
			rows = append(rows, wrap(l, width, c.ASCII)...)
		}
	}
	return rows, on
}
