package tui

import (
	"fmt"
	"strings"
	"time"

	"caisson.dev/caisson/spec"
)

// networkLines are the text of the places of a change of the network.
func (s Status) networkLines() []line {
	var out []line
	switch s.at {
	case atNetwork:
		for i, l := range s.node.Network.Seen {
			out = append(out, row(when(i == 0, "Now"), Span{l, Plain}))
		}
		if len(out) == 0 {
			out = []line{row("Now", Span{"[!] no link has an address", Warn})}
		}
		out = append(out, row("On", Span{s.onWhat(), Plain}))
		out = append(out, s.unplugged()...)
		if s.wiring.tried {
			_, wrong := s.wiring.network(s.node.Network)
			for _, err := range wrong[""] {
				out = append(append(out, line{}), faultLines(err)...)
			}
		}
	case atChange:
		c := s.wiring.change
		out = []line{strong("Put this network into force?"),
			row("From", Span{NetworkText(s.node.Network.Answers.Network), Plain}), row("To", Span{NetworkText(s.wiring.asked), Strong})}
		out = append(out, say("Without an answer within 60 seconds the old settings come back; also after a power cut. Connections to the old address end."))
		for _, n := range c.Notes {
			out = append(out, marked(Warn, n))
		}
		for i, u := range c.Restart {
			out = append(out, row(when(i == 0, "Restarts"), Span{u, Plain}))
		}
		for i, f := range c.Files {
			out = append(out, row(when(i == 0, "Files"), Span{f, Plain}))
		}
	case atKeep:
		out = []line{strong("Does the new network work? Keep it?"), {}}
		for i, l := range s.node.Network.Seen {
			out = append(out, row(when(i == 0, "Now"), Span{l, Plain}))
		}
		out = append(append(out, s.unplugged()...), line{}, marked(Warn, s.countdown()))
	}
	return out
}

// unplugged says which of the cards have no link.
func (s Status) unplugged() []line {
	without := s.node.Network.Unplugged
	if len(without) == 0 {
		return nil
	}
	return []line{marked(Warn, "no link on "+strings.Join(without, ", ")+": is the cable in at both ends?")}
}

// NetworkText is a network in words.
func NetworkText(n spec.NodeNetwork) string {
	out := "DHCP"
	if n.Address != "" {
		out = n.Address
	}
	return list(out, prefixed("gateway ", n.Gateway), prefixed("VLAN ", numberText(n.VLAN)), prefixed("MTU ", numberText(n.MTU)),
		prefixed("resolvers ", strings.Join(n.DNS, " ")))
}

// countdown says when the old network comes back.
func (s Status) countdown() string {
	left := s.wiring.until.Sub(s.now)
	if left <= 0 {
		return "The time is over: the old settings come back."
	}
	return fmt.Sprintf("The old settings come back in %d s.", int((left+time.Second-1)/time.Second))
}

// onWhat is the card or bond, which stays what it is.
func (s Status) onWhat() string {
	d := s.wiring.draft
	link := d.get(FieldInterface)
	switch link {
	case bonded:
		return "a bond of " + strings.Join(d.bondCards(), ", ") + prefixed(" by ", d.get(FieldBond))
	case "":
		return "every Ethernet card that has a link"
	}
	return link
}

// networkRows draws the form; focus is the row under the keys.
func (s Status) networkRows(width int, c Canvas) (rows [][]Span, focus int, cursor *[2]int) {
	const labels = 12
	wrong := map[Field][]error{}
	if s.wiring.tried {
		_, wrong = s.wiring.network(s.node.Network)
	}
	fields := s.wiring.fields()
	for i, f := range fields {
		here := i == s.focus
		value := s.wiring.draft.get(f.id)
		if f.id == FieldMode {
			value = box(value == static, "typing it in", "DHCP")
		}
		text := []rune(clean(value, c.ASCII))
		room := max(8, min(24, width-labels-4))
		text = text[max(0, len(text)-room+1):]
		if here {
			focus = len(rows)
			cursor = &[2]int{3 + labels + len(text), len(rows)}
		}
		look := Plain
		if here {
			look = Strong
		}
		row := []Span{{box(here, "> ", "  "), Strong}, {pad(f.label, labels), look}, {"[", Dim}, {pad(string(text), room), Input}, {"]", Dim}}
		if width-cells(row)-2 >= len(f.form) {
			row = append(row, Span{"  " + f.form, Dim})
		}
		rows = append(rows, cut(row, width))
		for _, err := range wrong[f.id] {
			for _, l := range under(err) {
				l.spans = append([]Span{{strings.Repeat(" ", labels+2), Plain}}, l.spans...)
				l.hang += labels + 2
				rows = append(rows, wrap(l, width, c.ASCII)...)
			}
		}
		if c.Large {
			rows = append(rows, nil)
		}
	}
	for i, text := range []string{"Show what will happen", "Back: change nothing"} {
		if len(fields)+i == s.focus {
			focus = len(rows)
		}
		rows = append(rows, cut(item(len(fields)+i == s.focus, "", text, c), width))
	}
	return rows, focus, cursor
}
