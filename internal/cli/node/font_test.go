package node

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// letter is a font of one letter, drawn with # and dots.
func letter(rows ...string) font {
	width := len(rows[0])
	per := (width + 7) / 8
	f := font{width: width, height: len(rows), letters: 1, data: make([]byte, glyphRows*per)}
	for y, row := range rows {
		for x, c := range row {
			if c == '#' {
				f.data[y*per+x/8] |= 0x80 >> (x % 8)
			}
		}
	}
	return f
}

func (f font) drawn(n int) string {
	per := (f.width + 7) / 8
	var b strings.Builder
	for y := range f.height {
		for x := range f.width {
			b.WriteByte(".#"[f.data[(n*glyphRows+y)*per+x/8]>>(7-x%8)&1])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestDoubledFont(t *testing.T) {
	got, ok := letter("#.......", ".#.....#").doubled()
	want := strings.Repeat("##..............\n", 2) + strings.Repeat("..##..........##\n", 2)
	if have := got.drawn(0); !ok || have != want {
		t.Errorf("ok %v\nhave\n%s\nneed\n%s", ok, have, want)
	}
	// Letters of twelve pixels have half a byte that is not used.
	got, ok = letter("#..........#").doubled()
	if have, want := got.drawn(0), strings.Repeat("##....................##\n", 2); !ok || have != want {
		t.Errorf("ok %v, have\n%s\nneed\n%s", ok, have, want)
	}
	two := letter("########")
	two.letters, two.data = 2, append(two.data, letter("#......#").data...)
	if got, _ = two.doubled(); got.drawn(1) != strings.Repeat("##............##\n", 2) {
		t.Errorf("the second letter is\n%s", got.drawn(1))
	}
	for _, size := range [][2]int{{17, 16}, {8, 17}, {32, 32}} {
		f := font{width: size[0], height: size[1], letters: 1, data: make([]byte, glyphRows*4)}
		if _, ok := f.doubled(); ok {
			t.Errorf("%v: doubled beyond what the kernel takes", size)
		}
	}
}

// TestNoLettersToEnlarge: what is no console of the kernel's stays as it is.
func TestNoLettersToEnlarge(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	large := enlarger(f)
	for _, on := range []bool{true, false, true} {
		if w, h, ok := large(on); ok {
			t.Errorf("%v: %s", on, fmt.Sprint(w, h))
		}
	}
}
