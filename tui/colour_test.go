package tui

import (
	"fmt"
	"image/color"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"

	"caisson.dev/caisson/internal/golden"
)

// TestColours holds what every screen looks like on a terminal.
func TestColours(t *testing.T) {
	for _, x := range shots {
		holdColours(t, "screens", x.name, "orange", shot(t, x.way).w.View)
	}
}

// TestBanners: each classification has its colour, on the first row and the last.
func TestBanners(t *testing.T) {
	var b strings.Builder
	for _, colour := range []string{"green", "blue", "red", "orange", "yellow", ""} {
		w := New(Medium{})
		rows := strings.Split(cellsText(w.View(Canvas{Width: 80, Height: 24, Colour: Colour16}).ANSI(colour), 80, 24), "\n")
		if rows[0] != rows[23] {
			t.Errorf("%s: the last row is not the first", colour)
		}
		fmt.Fprintf(&b, "%-7s %s\n", colour, rows[0])
	}
	golden.Equal(t, "banners.txt", []byte(b.String()))
}

// TestNeverColourAlone: what is good, doubtful or bad says so without its colour.
func TestNeverColourAlone(t *testing.T) {
	for _, x := range shots {
		p := shot(t, x.way).w.page()
		lines := p.lines
		for _, f := range p.fields {
			for _, o := range f.options {
				lines = append(lines, o.more...)
			}
		}
		for _, l := range lines {
			said := strings.Contains(flat(l.spans), "[") || strings.Contains(flat(l.spans), "DESTROYS")
			for _, s := range l.spans {
				if (s.Role == OK || s.Role == Warn || s.Role == Bad) && !said {
					t.Errorf("%s: %q has nothing but its colour", x.name, flat(l.spans))
				}
			}
		}
	}
}

// drawn is a terminal that a styled screen was written to.
func drawn(styled string, width, height int) *vt.SafeEmulator {
	term := vt.NewSafeEmulator(width, height)
	_, _ = term.Write([]byte(strings.ReplaceAll(styled, "\n", "\r\n")))
	return term
}

// cellsText is what a terminal shows for a styled screen, and how its cells look.
func cellsText(styled string, width, height int) string {
	term, last := drawn(styled, width, height), ""
	return rowsOf(term, func(x, y int) string {
		look := ""
		if c := term.CellAt(x, y); c != nil {
			look = strings.TrimSpace(colourName(c.Style.Fg, "#") + colourName(c.Style.Bg, "/#") + attributes(c.Style.Attrs, c.Style.Underline != 0))
		}
		if x == 0 {
			last = ""
		}
		if look == last {
			return ""
		}
		last = look
		return "{" + look + "}"
	})
}

// plainText is what a terminal shows for a styled screen, as plain text.
func plainText(styled string, width, height int) string {
	return rowsOf(drawn(styled, width, height), func(int, int) string { return "" })
}

// rowsOf are a terminal's cells as text, each behind what before says of it.
func rowsOf(term *vt.SafeEmulator, before func(x, y int) string) string {
	var b strings.Builder
	for y := range term.Height() {
		var row strings.Builder
		for x := range term.Width() {
			text := " "
			if c := term.CellAt(x, y); c != nil && c.Content != "" {
				text = c.Content
			}
			row.WriteString(before(x, y) + text)
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
	return b.String()
}

func colourName(c color.Color, prefix string) string {
	switch c := c.(type) {
	case nil:
		return ""
	case ansi.BasicColor:
		return fmt.Sprintf("%s%d", prefix, c)
	case ansi.IndexedColor:
		return fmt.Sprintf("%s%d", prefix, c)
	}
	return fmt.Sprintf("%s?%T", prefix, c)
}

func attributes(a uint8, underlined bool) string {
	out := ""
	for i, name := range []string{" bold", " faint", " italic", " blink", " blink", " reverse"} {
		if a&(1<<i) != 0 {
			out += name
		}
	}
	if underlined {
		out += " underline"
	}
	return out
}
