package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// View draws the screen.
func (s Status) View(c Canvas) Screen {
	return frame{label: s.node.Classification.Label, scroll: s.scroll, lay: s.layout, header: s.header, keys: s.keysLine}.draw(c)
}

// Banner is the colour of the classification.
func (s Status) Banner() string { return s.node.Classification.Colour }

func (s Status) header(width int, c Canvas) []Span {
	text := "Caisson node - "
	if s.node.Enclave != "" {
		text += s.node.Enclave + " - "
	}
	title := "status"
	switch s.at {
	case atNobody, atMenu:
		title = "menu"
	case atWho, atPassword:
		title = "who are you?"
	case atAsk:
		title = s.inSentence()
	case atNetwork, atChange:
		title = "change address or VLAN"
	case atKeep:
		title = "the new network"
	}
	if s.help {
		title = "help: " + title
	}
	name := when(s.node.Node != "", s.node.Node+": ")
	return cut([]Span{{clean(text, c.ASCII), Dim}, {clean(name, c.ASCII), Plain}, {clean(title, c.ASCII), Strong}}, width)
}

func (s Status) keysLine(Canvas) string {
	switch {
	case s.leaving:
		return "Leaving. Please wait."
	case s.busy:
		return "Working. Please wait."
	case s.help:
		return "Enter or Esc: back   Up, Down: read on"
	case s.at == atStatus && s.seen.IsZero():
		return "Please wait.   ?: help"
	case s.at == atStatus:
		return "Enter: menu   Up, Down: read on   ?: help"
	case s.at == atPassword: // a ? is typed there
		return "Enter: go on   Esc: back to the status   F1: help"
	case s.at == atKeep:
		return "Enter: take it   Up, Down: move   ?: help"
	}
	return "Enter: take it   Up, Down: move   Esc: back   ?: help"
}

// left is how long a wrong password still costs, in words.
func (s Status) left() string {
	return fmt.Sprintf("%d s", int((s.wait.Sub(s.now)+time.Second-1)/time.Second))
}

// lines are the text of this place.
func (s Status) lines() []line {
	if s.help {
		return s.helpLines()
	}
	var out []line
	switch s.at {
	case atStatus:
		if s.seen.IsZero() {
			return []line{say("Looking at the node...")}
		}
		out = s.node.lines(s.now)
		if until := s.node.Network.Waits; !until.IsZero() {
			out = append(out, line{}, marked(Warn, "A change of the network waits in the menu. Without an answer the old settings come back at "+until.UTC().Format("15:04:05")+" UTC."))
		}
		if s.now.Sub(s.seen) >= tooOld {
			out = append(out, line{}, marked(Warn, "Old: this is how the node was at "+s.seen.UTC().Format("15:04:05")+" UTC. It has not answered since."))
		}
		return out
	case atNobody:
		return []line{marked(Warn, "No administrator of this node has a password, so this menu offers nothing."), {},
			say("Work on the node by SSH, with an administrator's key.")}
	case atWho:
		return []line{say("The menu is for the administrators of this node.")}
	case atPassword:
		out = []line{say("The menu is for the administrators of this node.")}
	case atMenu:
		out = []line{say("This menu closes by itself if no key is pressed.")}
	case atAsk:
		out = []line{strong(s.chosen().label + "?"), say(s.chosen().what)}
	}
	if s.at == atNetwork || s.at == atChange || s.at == atKeep {
		out = s.networkLines()
	}
	if s.failed != nil {
		out = append(append(out, line{}), faultLines(s.failed)...)
	}
	if s.said != "" {
		out = append(out, line{}, marked(OK, s.said))
	}
	if s.at == atPassword && s.now.Before(s.wait) {
		out = append(out, line{}, marked(Warn, "The next try counts in "+s.left()+"."))
	}
	return out
}

// layout lays text and what can be chosen out for a canvas.
func (s Status) layout(c Canvas) layout {
	width, height := inner(c.Width), max(1, c.Height-frameRows)
	var l layout
	lines := s.lines()
	rows, focus, cursor := s.rows(width, c)
	if len(rows) > 0 {
		lines = append(slices.Clip(lines), line{})
	}
	for _, x := range lines {
		l.text = append(l.text, draw(x, width, c)...)
	}
	l.fit(rows, focus, cursor, height)
	return l
}

// rows draws what can be chosen or typed; focus is the row under the keys.
func (s Status) rows(width int, c Canvas) (rows [][]Span, focus int, cursor *[2]int) {
	if s.help {
		return nil, 0, nil
	}
	if s.at == atPassword {
		label := "Password of " + clean(s.who, c.ASCII) + "  "
		room := max(8, min(32, width-len([]rune(label))-4))
		hidden := strings.Repeat("*", min(room-1, len([]rune(s.typed))))
		row := []Span{{"> ", Strong}, {label, Strong}, {"[", Dim}, {pad(hidden, room), Input}, {"]", Dim}}
		return [][]Span{cut(row, width)}, 0, &[2]int{3 + len([]rune(label)) + len(hidden), 0}
	}
	if s.at == atNetwork {
		return s.networkRows(width, c)
	}
	for i, text := range s.items() {
		if i == s.focus {
			focus = len(rows)
		}
		rows = append(rows, cut(item(i == s.focus, "", text, c), width))
		if c.Large {
			rows = append(rows, nil)
		}
	}
	return rows, focus, nil
}
