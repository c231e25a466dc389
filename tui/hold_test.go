package tui

import (
	"strings"
	"testing"

	"caisson.dev/caisson/internal/golden"
)

// sheet is a canvas that screens are held on.
type sheet struct {
	name string
	c    Canvas
}

var (
	canvases = []sheet{
		{"80x24", Canvas{Width: 80, Height: 24}},
		{"80x24-ascii", Canvas{Width: 80, Height: 24, ASCII: true}},
		{"80x24-large", Canvas{Width: 80, Height: 24, Large: true}},
		{"120x40", Canvas{Width: 120, Height: 40}},
		{"120x40-ascii", Canvas{Width: 120, Height: 40, ASCII: true}},
	}
	smallest = sheet{"60x16", Canvas{Width: leastWidth, Height: leastHeight}}
	// painted are those that are held with what their cells look like.
	painted = []sheet{
		{"80x24-colour", Canvas{Width: 80, Height: 24, Colour: Colour16}},
		{"80x24-mono", Canvas{Width: 80, Height: 24}},
		{"120x40-colour", Canvas{Width: 120, Height: 40, Colour: Colour16}},
	}
)

// holdTexts shows a screen on a terminal without colours, holds the text on it to
// what was reviewed, and gives the texts.
func holdTexts(t *testing.T, dir, name string, view func(Canvas) Screen, sheets ...sheet) (texts []string) {
	t.Helper()
	for _, s := range sheets {
		screen := view(s.c)
		text := plainText(screen.ANSI("orange"), s.c.Width, s.c.Height)
		golden.Equal(t, dir+"/"+s.name+"/"+name+".txt", []byte(text))
		for i, r := range screen.Rows {
			if n := cells(r); n > s.c.Width {
				t.Errorf("%s %s: row %d is %d cells wide", name, s.name, i, n)
			}
		}
		if len(screen.Rows) != s.c.Height {
			t.Errorf("%s %s: %d rows", name, s.name, len(screen.Rows))
		}
		if s.c.ASCII && strings.ContainsFunc(text, func(r rune) bool { return r > '~' }) {
			t.Errorf("%s %s: a glyph beyond ASCII", name, s.name)
		}
		texts = append(texts, text)
	}
	return texts
}

// holdColours shows a screen on a terminal and holds what its cells look like:
// {text colour/ground attributes} before each piece that is not plain.
func holdColours(t *testing.T, dir, name, banner string, view func(Canvas) Screen) {
	t.Helper()
	for _, s := range painted {
		got := cellsText(view(s.c).ANSI(banner), s.c.Width, s.c.Height)
		golden.Equal(t, dir+"/"+s.name+"/"+name+".txt", []byte(got))
		if s.c.Colour == Mono && strings.ContainsFunc(got, func(r rune) bool { return r == '#' }) {
			t.Errorf("%s: a colour on a terminal without", name)
		}
	}
}
