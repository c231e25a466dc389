package tui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"caisson.dev/caisson/installer/plan"
)

func (w Wizard) reviewPage() page {
	p := page{title: "review", reading: true, help: []string{"This is the plan itself: what is not here is not done.",
		"Enter reads on until the end was shown; only then it goes on to the question whether you agree.",
		"Long digests are cut for the screen; the record on the node has them whole."}}
	switch {
	case w.planErr != nil:
		p.lines = append([]line{strong("This cannot be installed as it stands. Nothing was written."), {}}, faultLines(w.planErr)...)
		p.fields = []field{act("back", "Back to the questions", func(w Wizard) (Wizard, []Effect) { return w.goTo(rolePage), nil })}
		return p
	case w.plan == nil:
		p.lines = []line{say("Making the plan. Nothing is written.")}
		return p
	}
	p.lines = slices.Concat([]line{loss(w.plan.Disk)}, w.cardProblems(), w.addressLines(), []line{{}}, w.origin(), w.configured(), planLines(*w.plan))
	p.whole = true
	p.fields = []field{goOn("Continue: agree to it"), act("save", "Save the answers to a stick", save), act("back", "Change something", func(w Wizard) (Wizard, []Effect) { return w.goTo(rolePage), nil })}
	return p
}

func save(w Wizard) (Wizard, []Effect) { return start("save", SaveAnswers{Answers: w.answers()})(w) }

// planLines is the plan: on what, then its own sentences.
func planLines(pl plan.Plan) []line {
	out := []line{
		row("Disk", Span{list(pl.Disk.Size.String(), pl.Disk.Model, prefixed("serial ", pl.Disk.Serial)), Plain}),
		row("", Span{pl.Disk.Path, Code}),
		row("Machine", Span{list(pl.Machine.Vendor, pl.Machine.Product, prefixed("serial ", pl.Machine.Serial)), Plain}),
		row("Release", Span{pl.Release, Code}, Span{", enclave " + pl.Enclave, Plain}),
		row("Then", Span{pl.After, Plain}), {}}
	for i, s := range pl.Steps {
		r := Plain
		if s.Destroys != "" {
			r = Bad
		}
		number := fmt.Sprintf("%2d.  ", i+1)
		out = append(out, line{spans: []Span{{number, Dim}, {short(s.Text(pl)), r}}, hang: len(number)})
	}
	return append(out, line{}, row("Plan", Span{grouped(string(pl.ID)), Code}))
}

// loss says what an install costs.
func loss(t plan.Target) line {
	if len(t.Holds) == 0 {
		return marked(OK, "The disk is blank: nothing is lost.")
	}
	return marked(Bad, "DESTROYS everything on the disk: "+strings.Join(t.Holds, ", ")+".")
}

func (w Wizard) confirmPage() page {
	d := w.plan.Disk
	c := consentFor(d)
	p := page{title: "agree", help: []string{"This is the last question. After it the disk is written.", "Esc goes back; nothing was written yet."}}
	p.lines = []line{loss(d),
		row(sentenceCase(c.what), Span{c.whole, Strong}),
		row("Disk", Span{list(d.Size.String(), d.Model), Plain}), {},
		say("To agree, type the last " + count(len(c.typed), "character") + " of the disk's " + c.what + ".")}
	p.fields = []field{
		{id: FieldTyped, kind: text, label: "Last " + strconv.Itoa(len(c.typed)), width: asked + 2},
		act("install", "Install: write to the disk", Wizard.agree),
	}
	return p
}

func sentenceCase(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// typedError is what is wrong with the consent as typed.
func (w Wizard) typedError() error {
	if w.plan == nil {
		return nil
	}
	c := consentFor(w.plan.Disk)
	if typed := trimmed(w.draft, FieldTyped); !strings.EqualFold(typed, c.typed) {
		return Mistyped.New("cannot write to the disk: have %q, need the last %s of its %s", typed, count(len(c.typed), "character"), c.what)
	}
	return nil
}

func (w Wizard) progressPage() page {
	i := w.install
	p := page{title: "install", help: []string{"It is safe to cut the power: the disk does not boot before the last step is done.", "Start the medium again then; the install begins anew."}}
	showLog := act("log", "Show the messages", func(w Wizard) (Wizard, []Effect) {
		w = w.open(log)
		w.scroll = w.layout(w.size).most // the newest are what one looks for
		return w, nil
	})
	if i.ended {
		p.title, p.reading = "the install stopped", true
		p.lines = append([]line{strong("The install stopped. The disk does not boot now."), {}}, faultLines(i.err)...)
		p.fields = []field{act("again", "Start again", Wizard.again), showLog}
		return p
	}
	if i.work.total > 0 {
		p.lines = append(p.lines, line{bar: &i.work}, say(i.work.text()))
	} else {
		p.lines = append(p.lines, line{}, line{})
	}
	for n, s := range w.plan.Steps {
		mark, r := "[  ] ", Dim
		switch {
		case n+1 < i.step:
			mark, r = "[ok] ", OK
		case n+1 == i.step:
			mark, r = " >>  ", Strong
		}
		p.lines = append(p.lines, line{spans: []Span{{mark, r}, {stepName(s), r}}, hang: len(mark), dim: r == OK})
	}
	p.fields = []field{showLog}
	return p
}

func orDHCP(s string) string {
	if s == "" {
		return "by DHCP"
	}
	return s
}
