package tui

import (
	"strings"
	"unicode"

	"charm.land/lipgloss/v2"
)

// clean makes each character one cell wide and harmless: what hardware says of
// itself may hold anything, an escape sequence included.
func clean(s string, ascii bool) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= ' ' && r <= '~':
			return r
		case ascii || !unicode.IsPrint(r) || lipgloss.Width(string(r)) != 1:
			return '?'
		}
		return r
	}, s)
}

// wrap breaks a line at spaces into rows of at most width cells; rows after the
// first are moved in by hang. A word that is longer than a row is cut.
func wrap(l line, width int, ascii bool) [][]Span {
	if width < 1 {
		return nil
	}
	hang := min(l.hang, width/2)
	type cell struct {
		r    rune
		role Role
	}
	var cells []cell
	for _, s := range l.spans {
		for _, r := range clean(s.Text, ascii) {
			cells = append(cells, cell{r, s.Role})
		}
	}
	var rows [][]Span
	left := 0
	for {
		room := width - left
		end := len(cells)
		next := end
		if end > room {
			end, next = room, room
			for i := room; i > room/4; i-- {
				if cells[i].r == ' ' {
					end, next = i, i+1
					break
				}
			}
		}
		var row []Span
		if left > 0 {
			row = append(row, Span{strings.Repeat(" ", left), Plain})
		}
		for _, c := range cells[:end] {
			if n := len(row); n > 0 && row[n-1].Role == c.role && !(n == 1 && left > 0) {
				row[n-1].Text += string(c.r)
			} else {
				row = append(row, Span{string(c.r), c.role})
			}
		}
		rows = append(rows, row)
		if cells = cells[next:]; len(cells) == 0 {
			if last := len(rows) - 1; l.tail != "" && left+end+2+len(l.tail) <= width {
				rows[last] = append(rows[last], Span{"  " + l.tail, Dim})
			}
			return rows
		}
		left = hang
	}
}

// cells is how wide a row is.
func cells(row []Span) int {
	n := 0
	for _, s := range row {
		n += len([]rune(s.Text))
	}
	return n
}

// cut shortens a row to width cells, or fills it up.
func cut(row []Span, width int) []Span {
	var out []Span
	for _, s := range row {
		r := []rune(s.Text)
		if len(r) > width {
			r = r[:max(0, width)]
		}
		width -= len(r)
		if len(r) > 0 {
			out = append(out, Span{string(r), s.Role})
		}
	}
	if width > 0 {
		out = append(out, Span{strings.Repeat(" ", width), Plain})
	}
	return out
}
