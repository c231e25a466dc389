package tui

import (
	"reflect"
	"strings"
	"testing"
)

// TestStatusHelp: ? opens help at every place but the password, where F1 does; it
// leaves the place as it was, and the keys line promises nothing else.
func TestStatusHelp(t *testing.T) {
	for _, x := range statusShots {
		for _, c := range []struct{ open, close string }{{"'?", "'?"}, {"help", "esc"}, {"help", "enter"}, {"'?", "interrupt"}} {
			d := newDesk(t, x.node)
			d.do(x.way...)
			before, asked := d.s, len(d.asked())
			if before.help { // the shot is help itself
				continue
			}
			d.do(c.open)
			opens := c.open == "help" || before.at != atPassword
			if d.s.help != opens {
				t.Errorf("%s: %s opens help: %v, want %v", x.name, c.open, d.s.help, opens)
			}
			keys := before.keysLine(Canvas{})
			if strings.Contains(keys, "?: help") == (before.at == atPassword) || strings.Contains(keys, "F1: help") != (before.at == atPassword) {
				t.Errorf("%s: the keys line is %q", x.name, keys)
			}
			if !opens {
				continue
			}
			d.do("down", "pgdn", "up", "pgup", "'x ", "backspace", "tab", "left", c.close)
			d.s.last = before.last // the last key
			if !reflect.DeepEqual(d.s, before) || len(d.asked()) != asked {
				t.Errorf("%s: help by %s, closed by %s, changed the place", x.name, c.open, c.close)
			}
		}
	}
}

// TestStatusHelpCloses: nobody reads for two minutes, or the network's minute is over.
func TestStatusHelpCloses(t *testing.T) {
	for _, c := range []struct {
		name string
		way  []string
		help bool
		at   place
	}{
		{"read", []string{"help", "+119s"}, true, atStatus},
		{"left", []string{"help", "+119s", "+1s"}, false, atStatus},
		{"in the menu", []string{"enter", "'right?", "enter", "'?", "+120s"}, false, atStatus},
		{"while the time runs", way(toForm, toChange, []string{"down", "enter", "'?", "+59s"}), true, atKeep},
		{"when it is over", way(toForm, toChange, []string{"down", "enter", "'?", "+59s", "+1s"}), false, atMenu},
	} {
		d := newDesk(t, sound())
		d.do(c.way...)
		if d.s.help != c.help || d.s.at != c.at {
			t.Errorf("%s: help %v at %d, want %v at %d", c.name, d.s.help, d.s.at, c.help, c.at)
		}
	}
}

// TestStatusHelpReadsOn: on the smallest screen the end can be read.
func TestStatusHelpReadsOn(t *testing.T) {
	d := newDesk(t, sound())
	d.send(Resized{Width: leastWidth, Height: leastHeight})
	d.do("help", "pgdn", "pgdn", "pgdn", "pgdn", "pgdn")
	if got := d.s.View(d.s.size).Text(); !strings.Contains(got, "with FAT32.") || strings.Contains(got, "more below") {
		t.Errorf("the end is not in sight:\n%s", got)
	}
	if d.do("down", "help"); d.s.scroll != 0 {
		t.Errorf("the status is scrolled by %d, want as before", d.s.scroll)
	}
}
