package tui

import (
	"fmt"
	"slices"
	"strings"

	"caisson.dev/caisson/spec"
)

const frameRows = 6 // two banners, the header, two rules, the keys

// frame is what surrounds every screen: the banners, the header, the keys.
type frame struct {
	label  string // the classification's
	scroll int    // rows of the text above the screen
	lay    func(c Canvas) layout
	header func(width int, c Canvas) []Span
	keys   func(c Canvas) string
}

// draw draws the screen of a canvas.
func (f frame) draw(c Canvas) Screen {
	c.Width, c.Height = max(1, min(c.Width, 1000)), max(1, min(c.Height, 1000))
	s := Screen{colour: c.Colour}
	banner := []Span{{center(orUnstated(f.label), c.Width, c.ASCII), Banner}}
	if c.Width < leastWidth || c.Height < leastHeight {
		text := fmt.Sprintf("This window is %d x %d. Please make it at least %d x %d.", c.Width, c.Height, leastWidth, leastHeight)
		s.Rows = append(s.Rows, banner)
		rows := wrap(say(text), c.Width, c.ASCII)
		for len(s.Rows) < c.Height-1 {
			var r []Span
			if i := len(s.Rows) - 1; i < len(rows) {
				r = rows[i]
			}
			s.Rows = append(s.Rows, r)
		}
		if c.Height > 1 {
			s.Rows = append(s.Rows, banner)
		}
		return s
	}
	l := f.lay(c)
	left := strings.Repeat(" ", max(0, (c.Width-mostWidth)/2)+2)
	width := inner(c.Width)
	put := func(row []Span) { s.Rows = append(s.Rows, append([]Span{{left, Plain}}, row...)) }
	s.Rows = append(s.Rows, banner)
	put(f.header(width, c))
	scroll := min(f.scroll, l.most)
	put(rule(width, c.ASCII, when(scroll > 0, "more above")))
	body := slices.Concat(l.text[scroll:scroll+l.room], l.fields)
	if l.cursor != nil && c.Leader == "" {
		s.Cursor, s.CursorX, s.CursorY = true, len(left)+l.cursor[0], len(s.Rows)+l.room+l.cursor[1]
	}
	for _, r := range beside(body, l.side, width-l.wide+2) {
		put(r)
	}
	for len(s.Rows) < c.Height-3 {
		s.Rows = append(s.Rows, nil)
	}
	put(rule(width, c.ASCII, when(scroll < l.most, "more below")))
	put(cut([]Span{{f.keys(c), Dim}}, width))
	s.Rows = append(s.Rows, banner)
	return s
}

func rule(width int, ascii bool, note string) []Span {
	dash := "─"
	if ascii {
		dash = "-"
	}
	if note == "" {
		return []Span{{strings.Repeat(dash, width), Dim}}
	}
	return []Span{{strings.Repeat(dash, width-len(note)-4), Dim}, {" " + note + " ", Strong}, {strings.Repeat(dash, 2), Dim}}
}

func when(is bool, s string) string {
	if is {
		return s
	}
	return ""
}

func center(s string, width int, ascii bool) string {
	r := []rune(clean(s, ascii))
	r = r[:min(len(r), width)]
	return pad(strings.Repeat(" ", (width-len(r))/2)+string(r), width)
}

// shellHead clears a terminal and puts the banner above what a shell will say
// there; the screens cannot keep it in sight while the terminal is the shell's.
func shellHead(of spec.Classification, c Canvas) string {
	const clear = "\x1b[2J\x1b[H" // ECMA-48 ED, CUP
	banner := Screen{Rows: [][]Span{{{center(orUnstated(of.Label), max(1, c.Width), c.ASCII), Banner}}}, colour: c.Colour}
	return clear + banner.ANSI(of.Colour) + "\r\n"
}

func orUnstated(label string) string {
	if label == "" {
		return "classification not stated"
	}
	return label
}
