package tui

import (
	"strings"

	"rsc.io/qr"
)

// quiet is the white margin of a square, in modules. Readers ask for four and
// are content with two; the screen has 24 rows.
const quiet = 2

// leastBeside is the width that a text keeps beside a square.
const leastBeside = 36

// square is a text as a QR code (ISO/IEC 18004), two modules a character: the
// light ones are drawn. In ASCII a module takes two characters, which makes it as
// high as it is wide. Upper case keeps it small (alphanumeric mode).
func square(s string, ascii bool) []line {
	c, err := qr.Encode(s, qr.L)
	if err != nil || s == "" {
		return nil
	}
	light := func(x, y int) bool { return !c.Black(x-quiet, y-quiet) }
	n := c.Size + 2*quiet
	var out []line
	for y := 0; ascii && y < n; y++ {
		var row strings.Builder
		for x := range n {
			row.WriteString(box(light(x, y), "##", "  "))
		}
		out = append(out, line{spans: []Span{{row.String(), Glyph}}})
	}
	for y := 0; !ascii && y < n; y += 2 {
		row := make([]rune, n)
		for x := range row {
			top, bottom := light(x, y), y+1 < n && light(x, y+1)
			switch {
			case top && bottom:
				row[x] = '█'
			case top:
				row[x] = '▀'
			case bottom:
				row[x] = '▄'
			default:
				row[x] = ' '
			}
		}
		out = append(out, line{spans: []Span{{string(row), Glyph}}})
	}
	return out
}
