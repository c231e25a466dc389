package tui

import (
	"fmt"
	"strings"
)

// page is the screen as it is now.
func (w Wizard) page() page {
	var p page
	switch w.over {
	case menu:
		return w.menuPage()
	case log:
		return w.logPage()
	}
	if w.gone != nil && w.watches() {
		return w.gonePage()
	}
	switch w.step {
	case welcome:
		p = w.welcomePage()
	case medium:
		p = w.mediumPage()
	case machinePage:
		p = w.machinePage()
	case rolePage:
		p = w.rolePage()
	case diskPage:
		p = w.diskPage()
	case networkPage:
		p = w.networkPage()
	case namePage:
		p = w.namePage()
	case timePage:
		p = w.timePage()
	case usersPage:
		p = w.usersPage()
	case secretsPage:
		p = w.secretsPage()
	case review:
		p = w.reviewPage()
	case confirm:
		p = w.confirmPage()
	case progress:
		p = w.progressPage()
	case done:
		p = w.donePage()
	}
	return p
}

// act is an action with its name.
func act(id Field, label string, do func(Wizard) (Wizard, []Effect)) field {
	return field{id: id, kind: action, label: label, do: do}
}

func goOn(label string) field { return act("continue", label, Wizard.next) }

// start asks for an effect, unless the same is under way.
func start(name string, e Effect) func(Wizard) (Wizard, []Effect) {
	return func(w Wizard) (Wizard, []Effect) {
		if w.waiting[name] {
			return w, nil
		}
		return w.waits(name, true), []Effect{e}
	}
}

func (w Wizard) welcomePage() page {
	m := w.medium
	p := page{title: "welcome", lines: []line{
		strong("This installs a Kubernetes node of the enclave " + m.Enclave + "."),
		say("Nothing is written to a disk before you have agreed to it."),
		{},
		row("Release", Span{m.Release, Code}),
	}}
	if !m.Built.IsZero() {
		p.lines = append(p.lines, row("Built", Span{stamp(m.Built) + " UTC", Plain}))
	}
	p.lines = append(p.lines, row("Manifest", Span{grouped(string(m.Manifest)), Code}))
	if len(m.Keys) == 0 {
		p.lines = append(p.lines, row("Signed by", Span{"nobody: this version does not sign", Plain}))
	}
	for _, k := range m.Keys {
		p.lines = append(p.lines, row("Signed by", Span{k, Code}))
	}
	p.lines = append(p.lines, line{},
		say("Compare the manifest's digest with the paper that came with the medium."),
		dim("If it differs, stop here and ask whoever made the medium."))
	p.fields = []field{act("check", "Check the medium", Wizard.checkMedium)}
	if !w.size.Large || w.large() { // the boot menu's large print cannot be switched off here
		p.fields = append(p.fields, field{id: FieldLarge, kind: toggle, label: "Large print"})
	}
	if w.facts != nil {
		p.fields[0].label = "Check the medium again"
		p.fields = append([]field{act("onward", "Continue", Wizard.onward)}, p.fields...)
	}
	p.help = []string{"The manifest names every file of the medium with its digest. Its own digest stands for them all.",
		"Large print leaves out what can be done without and gives each line more room. On the machine's own screen its letters are twice as large, where they fit."}
	return p
}

// onward goes on from a medium that was checked.
func (w Wizard) onward() (Wizard, []Effect) {
	if w.refusesAnswers() {
		return w.goTo(medium), nil
	}
	return w.goTo(machinePage), nil
}

// checkMedium reads the medium; what was known of it counts no longer.
func (w Wizard) checkMedium() (Wizard, []Effect) {
	w.check, w.checked, w.gone, w.facts, w.without = work{}, nil, nil, nil, false
	w.seal = seal{try: w.seal.try}
	w = w.waits("secrets", false)
	return start("verify", Verify{})(w.stale().goTo(medium))
}

func (w Wizard) mediumPage() page {
	p := page{title: "check the medium", help: []string{"Every byte of the medium is read once and compared with the manifest.",
		"A file that is missing, differs or is not named stops the install. There is no way around it."}}
	switch {
	case w.checked != nil:
		p.lines = append([]line{strong("The medium cannot be used. Nothing was written."), {}}, faultLines(w.checked)...)
		p.fields = []field{act("check", "Check it again", Wizard.checkMedium)}
		p.reading = true
	case w.refusesAnswers():
		return w.badAnswersPage(p)
	case w.facts != nil && !w.waiting["verify"]:
		p.lines = []line{marked(OK, "Every byte of the medium is as its manifest says."), {},
			row("Release", Span{w.facts.Release, Code}),
			row("Manifest", Span{grouped(string(w.facts.Manifest)), Code})}
		p.fields = []field{goOn("Continue")}
	default:
		p.lines = []line{strong("Reading every byte of the medium once."), say("Leave it where it is."), {}, {bar: &w.check}, say(w.check.text())}
	}
	return p
}

// menuPage is help, and what can be done from anywhere.
func (w Wizard) menuPage() page {
	under := w
	under.over = nothing
	from := under.page()
	p := page{title: "help: " + from.title, reading: true}
	for _, h := range from.help {
		p.lines = append(p.lines, say(h))
	}
	p.lines = append(p.lines, line{},
		row("Up, Down", Span{"move; Page Up and Page Down turn long text", Plain}),
		row("Enter", Span{"take it, go on", Plain}),
		row("Esc", Span{"one step back; nothing that was typed is lost", Plain}),
		row("?", Span{"this help; Ctrl-C does the same", Plain}),
		row("Ctrl-L", Span{"draw the screen anew", Plain}),
		row("Ctrl-T", Span{"work from this console, if another one leads", Plain}))
	p.fields = []field{
		act("close", "Back to: "+from.title, func(w Wizard) (Wizard, []Effect) { return w.open(nothing), nil }),
		act("bundle", "Save a support bundle to a stick", start("bundle", SupportBundle{})),
	}
	if w.facts != nil && w.facts.Enclave.OS.RootShell { // of a Spec that was checked
		p.fields = append(p.fields, act("shell", "Open a root shell", start("shell", Shell{})))
	}
	if w.step < progress || w.install.ended {
		p.fields = append(p.fields, act("reboot", "Restart this machine", leave("reboot")), act("poweroff", "Power off", leave("poweroff")))
	}
	return p
}

func leave(how string) func(Wizard) (Wizard, []Effect) {
	return func(w Wizard) (Wizard, []Effect) {
		w.leaving = how
		return w, []Effect{Leave{How: how}}
	}
}

func (w Wizard) logPage() page {
	p := page{title: "messages", reading: true, help: []string{"What the install has said so far."}}
	for _, l := range w.install.log {
		for i, s := range strings.Split(strings.TrimRight(l, "\n"), "\n") {
			if i == 0 {
				p.lines = append(p.lines, line{spans: []Span{{"- ", Dim}, {short(s), Plain}}, hang: 2})
			} else {
				p.lines = append(p.lines, inset("", s))
			}
		}
	}
	if len(p.lines) == 0 {
		p.lines = []line{say("Nothing yet.")}
	}
	p.fields = []field{act("close", "Back", func(w Wizard) (Wizard, []Effect) { return w.open(nothing), nil })}
	return p
}

// grouped makes a digest fit for reading aloud: groups of eight.
func grouped(d string) string {
	algorithm, hex, ok := strings.Cut(d, ":")
	if !ok {
		return d
	}
	out := algorithm
	for i := 0; i < len(hex); i += 8 {
		out += " " + hex[i:min(len(hex), i+8)]
	}
	return out
}

// short cuts digests in a sentence down to what a person compares at a glance.
func short(s string) string {
	const prefix, keep = "sha256:", 12
	var b strings.Builder
	for {
		at := strings.Index(s, prefix)
		if at < 0 {
			b.WriteString(s)
			return b.String()
		}
		end := at + len(prefix)
		n := 0
		for end+n < len(s) && strings.ContainsRune("0123456789abcdef", rune(s[end+n])) {
			n++
		}
		b.WriteString(s[:end+min(n, keep)])
		if n > keep {
			b.WriteString("...")
		}
		s = s[end+n:]
	}
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
