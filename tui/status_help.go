package tui

// asksHelp says whether a key opens the help here. A password may hold a ?, and
// nothing else that is typed in the status console can.
func (s Status) asksHelp(k Key) bool {
	return k.Kind == KeyHelp || k.Kind == KeyRune && k.Rune == '?' && s.at != atPassword
}

// helpKey is a key that opens the help, or one while it is open. The place under
// it stays as it is.
func (s Status) helpKey(k Key) Status {
	if !s.help {
		s.help, s.under, s.scroll = true, s.scroll, 0
		return s
	}
	l := s.layout(s.size)
	switch k.Kind {
	case KeyUp, KeyBacktab:
		s.scroll = max(0, s.scroll-1)
	case KeyDown, KeyTab:
		s.scroll = min(l.most, s.scroll+1)
	case KeyPageUp:
		s.scroll = max(0, s.scroll-l.stride)
	case KeyPageDown:
		s.scroll = min(l.most, s.scroll+l.stride)
	case KeyHelp, KeyEsc, KeyInterrupt, KeyEnter:
		return s.closeHelp()
	case KeyRune:
		if k.Rune == '?' {
			return s.closeHelp()
		}
	}
	return s
}

func (s Status) closeHelp() Status {
	s.help = false
	s.scroll, s.under = min(s.under, s.layout(s.size).most), 0
	return s
}

// helpLines are what there is to know here, and everywhere.
func (s Status) helpLines() []line {
	var out []line
	switch s.at {
	case atStatus:
		out = []line{say("How the node is, looked at every five seconds. Everybody may read it.")}
	case atNobody, atWho, atPassword:
		out = []line{say("The keyboard's layout here is US. A wrong password makes the next try wait.")}
	case atMenu, atAsk:
		out = []line{say("What is done here goes into the journal.")}
	case atNetwork, atChange:
		out = []line{say("Nothing changes before you said yes to what it takes. Without an answer the old network comes back after 60 seconds.")}
	case atKeep:
		out = []line{say("The time runs on while you read this. " + s.countdown())}
	}
	sign := func(r Role, text string) line {
		return line{spans: []Span{{pad(marks[r], column), r}, {text, Plain}}, hang: column}
	}
	return append(out, line{},
		row("Up, Down", Span{"move, read on; Page Up and Page Down turn long text", Plain}),
		row("Enter", Span{"the menu; in it: take it, go on", Plain}),
		row("Esc", Span{"one step back", Plain}),
		row("?", Span{"this help; so does F1, also where a password is typed", Plain}),
		row("Ctrl-L", Span{"draw the screen anew", Plain}),
		line{},
		sign(OK, "as it should be"), sign(Warn, "worth a look, or not known"), sign(Bad, "does not work"),
		line{},
		say("The menu opens for an administrator of this node who has a password, and offers nothing without one. Save a support bundle, too, needs that password, and a stick with FAT32."))
}
