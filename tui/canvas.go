package tui

import (
	"strings"

	"charm.land/lipgloss/v2"
)

// Colours is what a terminal can show.
type Colours int

// The two kinds of terminal: attributes alone, or the 16 colours of ECMA-48.
const (
	Mono Colours = iota
	Colour16
)

// Canvas is what a Screen is drawn for.
type Canvas struct {
	Width, Height int
	ASCII         bool // no glyph beyond ASCII
	Colour        Colours
	Large         bool   // large print: fewer lines, more room
	Leader        string // the console that leads, if it is another one
}

// The least canvas that the screens fit on, and the widest that they use.
const (
	leastWidth, leastHeight = 60, 16
	mostWidth               = 110
)

// Fits says whether the screens can be used on a canvas of that size.
func Fits(width, height int) bool { return width >= leastWidth && height >= leastHeight }

// Screen is what a terminal shows: rows of spans.
type Screen struct {
	Rows [][]Span
	// The cursor's place; ok is false if none is shown.
	CursorX, CursorY int
	Cursor           bool
	colour           Colours
}

// Text is the screen as plain text.
func (s Screen) Text() string {
	var b strings.Builder
	for _, r := range s.Rows {
		b.WriteString(strings.TrimRight(flat(r), " ") + "\n")
	}
	return b.String()
}

func flat(spans []Span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(s.Text)
	}
	return b.String()
}

// banners are the colours of classification banners, on 16 colours: what is
// nearest to the usual ones, with text that can be read on them.
var banners = map[string][2]int{"green": {0, 2}, "blue": {15, 4}, "red": {15, 1}, "orange": {0, 3}, "yellow": {0, 11}}

// style is how a role looks. Attributes alone say the same as colours.
func style(r Role, c Colours, banner string) lipgloss.Style {
	s := lipgloss.NewStyle()
	fg := func(n int) lipgloss.Style {
		if c == Mono {
			return s
		}
		return s.Foreground(lipgloss.ANSIColor(n))
	}
	switch r {
	case Dim:
		return fg(8 - 1) // grey 7: bright black cannot be read on many panels
	case Strong:
		return fg(15).Bold(true)
	case OK:
		return fg(10)
	case Warn:
		return fg(11)
	case Bad:
		return fg(9).Bold(true)
	case Code:
		return fg(14)
	case Input:
		return s.Underline(true)
	case Focus:
		return s.Reverse(true)
	case Glyph:
		if c == Mono {
			return s
		}
		return s.Foreground(lipgloss.ANSIColor(15)).Background(lipgloss.ANSIColor(0))
	case Banner:
		pair, ok := banners[banner]
		if c == Mono || !ok {
			return s.Reverse(true)
		}
		// Not bold: a console shows bold black as dark grey.
		return s.Foreground(lipgloss.ANSIColor(pair[0])).Background(lipgloss.ANSIColor(pair[1]))
	}
	return s
}

// ANSI is the screen with its colours; banner is the classification's colour.
func (s Screen) ANSI(banner string) string {
	var b strings.Builder
	for i, r := range s.Rows {
		if i > 0 {
			b.WriteString("\n")
		}
		for _, span := range r {
			if span.Role == Plain || span.Text == "" {
				b.WriteString(span.Text)
				continue
			}
			b.WriteString(style(span.Role, s.colour, banner).Render(span.Text))
		}
	}
	return b.String()
}
