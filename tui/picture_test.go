package tui

import (
	"encoding/xml"
	"fmt"
	"image/color"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"

	"caisson.dev/caisson/internal/golden"
)

// TestPictures draws the main screens for the documents, from the same values
// as the golden screens.
func TestPictures(t *testing.T) {
	for _, x := range shots {
		name, ok := map[string]string{"01-welcome": "welcome", "05-disk": "disk", "10-review": "review", "12-progress": "progress", "13-done": "done"}[x.name]
		if !ok {
			continue
		}
		holdPicture(t, name, "orange", shot(t, x.way).w.View)
	}
	for _, x := range statusShots {
		name, ok := map[string]string{"sound": "status", "menu": "status-menu"}[x.name]
		if !ok {
			continue
		}
		d := newDesk(t, x.node)
		d.do(x.way...)
		holdPicture(t, name, d.s.Banner(), d.s.View)
	}
}

func holdPicture(t *testing.T, name, banner string, view func(Canvas) Screen) {
	t.Helper()
	svg := picture(view(Canvas{Width: 80, Height: 24, Colour: Colour16}), 80, banner)
	if err := xml.Unmarshal([]byte(svg), new(struct{})); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	golden.Equal(t, "../../docs/pictures/"+name+".svg", []byte(svg))
}

// The size of a cell, and the colours of a terminal's 16.
const cellWidth, cellHeight = 9, 18

var palette = []string{"#000000", "#aa0000", "#00aa00", "#c07000", "#3050c0", "#aa00aa", "#00aaaa", "#b8b8b8",
	"#666666", "#ff6b6b", "#6be06b", "#f2d64b", "#6b8cff", "#ff6bff", "#5bd7d7", "#ffffff"}

// picture is a screen as an SVG. Blocks and rules are drawn as shapes: fonts
// leave gaps between them.
func picture(s Screen, width int, banner string) string {
	var ground, text strings.Builder
	for y, row := range s.Rows {
		x := 0
		for _, span := range row {
			n := len([]rune(span.Text))
			fg, bg, bold := looks(span.Role, banner)
			if bg != "" {
				rect(&ground, float64(x), float64(y), float64(n), 1, bg)
			}
			words := strings.Map(func(r rune) rune {
				if strings.ContainsRune("█▀▄░─", r) {
					return ' '
				}
				return r
			}, span.Text)
			runes := []rune(span.Text)
			for i := 0; i < len(runes); {
				run := 1 // of the same shape, drawn as one
				for i+run < len(runes) && runes[i+run] == runes[i] {
					run++
				}
				shape(&ground, runes[i], float64(x+i), float64(y), float64(run), fg)
				i += run
			}
			if trimmed := strings.TrimRight(words, " "); strings.TrimSpace(trimmed) != "" {
				weight := ""
				if bold {
					weight = ` font-weight="bold"`
				}
				lead := len(trimmed) - len(strings.TrimLeft(trimmed, " "))
				part := trimmed[lead:]
				fmt.Fprintf(&text, "<text x=\"%d\" y=\"%d\" textLength=\"%d\" fill=\"%s\"%s>%s</text>\n", (x+lead)*cellWidth, y*cellHeight+13,
					len([]rune(part))*cellWidth, fg, weight, escape(part))
			}
			x += n
		}
	}
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"14.5\" xml:space=\"preserve\">\n"+
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#101418\"/>\n%s%s</svg>\n", width*cellWidth, len(s.Rows)*cellHeight, ground.String(), text.String())
}

// shape draws a run of a block or a rule.
func shape(b *strings.Builder, r rune, x, y, n float64, fill string) {
	switch r {
	case '█':
		rect(b, x, y, n, 1, fill)
	case '▀':
		rect(b, x, y, n, 0.5, fill)
	case '▄':
		rect(b, x, y+0.5, n, 0.5, fill)
	case '░':
		rect(b, x, y+0.25, n, 0.5, palette[8])
	case '─':
		rect(b, x, y+0.5, n, 0.06, fill)
	}
}

// rect is a shape, in cells.
func rect(b *strings.Builder, x, y, w, h float64, fill string) {
	fmt.Fprintf(b, "<rect x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\" fill=\"%s\"/>\n", x*cellWidth, y*cellHeight, w*cellWidth, h*cellHeight, fill)
}

// looks are a role's colours in a picture.
func looks(r Role, banner string) (fg, bg string, bold bool) {
	st := style(r, Colour16, banner)
	pick := func(c color.Color, otherwise string) string {
		if _, none := c.(lipgloss.NoColor); none || c == nil {
			return otherwise
		}
		cr, cg, cb, _ := c.RGBA()
		i := 0
		for n := range 16 {
			r, g, b, _ := lipgloss.ANSIColor(n).RGBA()
			if r == cr && g == cg && b == cb {
				i = n
				break
			}
		}
		return palette[i]
	}
	fg, bg = pick(st.GetForeground(), "#e4e4e4"), pick(st.GetBackground(), "")
	if st.GetReverse() {
		fg, bg = "#101418", "#e4e4e4"
	}
	if r == Input {
		bg = "#26303a"
	}
	return fg, bg, st.GetBold()
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
