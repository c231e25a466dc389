package tui

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/spec"
)

// begin fills in what the facts settle: the answers that were found, over the
// roster entry, then what leaves no choice. What was typed before stays, but for
// what answers say that were not there before.
func (d Draft) begin(f Facts) Draft {
	begun := d.get(FieldMode) != ""
	if f.AnswersErr != nil {
		f.Answers, f.AnswersFrom = spec.Answers{}, ""
	}
	if begun && (f.AnswersFrom == "" || reflect.DeepEqual(f.Answers, d.given)) {
		return d
	}
	a := f.Answers
	d.given, d.from = a, f.AnswersFrom
	if !begun {
		d = d.with(FieldMode, static).with(FieldBond, spec.BondActiveBackup)
		for _, n := range forBond(f.Machine.NICs) {
			d = d.with(Field(cardWord+n.Name), yes)
		}
	}
	d = d.with(FieldAfter, cmp.Or(a.After, d.get(FieldAfter), spec.DefaultAfter))
	if len(a.Time.NTP) > 0 {
		d = d.with(FieldNTP, strings.Join(a.Time.NTP, " "))
	}
	if a.Disk != (spec.Disk{}) {
		d = d.with(FieldDisk, "")
	}
	entry := a.Node
	if entry == "" && a.Name == "" {
		entry = f.Node
	}
	if entry != "" {
		return d.of(rosterWord+entry, f)
	}
	d = d.of(cmp.Or(a.Role, d.get(FieldRole)), f)
	if a.Name != "" {
		d = d.with(FieldName, a.Name)
	}
	// A network that is not spoken of is asked for; one without an address has DHCP.
	if !reflect.ValueOf(a.Network).IsZero() {
		d = d.addressed(a.Network)
	}
	return d.guess(f)
}

// guess takes the disk and the card that leave no choice.
func (d Draft) guess(f Facts) Draft {
	var free []string
	for _, disk := range f.Machine.Disks {
		if f.Refused[disk.StablePath()] == "" && !disk.Medium && !disk.Removable && !disk.ReadOnly {
			free = append(free, disk.StablePath())
		}
	}
	if len(free) == 1 && d.get(FieldDisk) == "" && d.disk == (spec.Disk{}) {
		d = d.with(FieldDisk, free[0])
	}
	if d.get(FieldInterface) != "" || !reflect.ValueOf(d.given.Network).IsZero() {
		return d
	}
	var linked []string
	for _, n := range f.Machine.NICs {
		if n.Link {
			linked = append(linked, n.Name)
		}
	}
	switch {
	case len(f.Machine.NICs) == 0:
		d = d.with(FieldInterface, spec.NoInterface)
	case len(f.Machine.NICs) == 1:
		d = d.with(FieldInterface, f.Machine.NICs[0].Name)
	case len(linked) == 1:
		d = d.with(FieldInterface, linked[0])
	}
	return d
}

// addressed is the draft with a network as answers or an entry have it.
func (d Draft) addressed(n spec.NodeNetwork) Draft {
	d = d.with(FieldMode, static).onLink(n).with(FieldAddress, n.Address).with(FieldGateway, n.Gateway).
		with(FieldVLAN, numberText(n.VLAN)).with(FieldMTU, numberText(n.MTU))
	if n.Address == "" {
		d = d.with(FieldMode, dhcp)
	}
	return d
}

// entry is an entry of the roster beneath the answers that were found. Answers
// that are for another node say nothing of it.
func (d Draft) entry(n spec.Node) spec.Answers {
	a := d.given
	if who := cmp.Or(a.Node, a.Name); who != "" && who != n.Name {
		a = spec.Answers{}
	}
	return spec.Merge(n, a)
}

// users are those of the answers that were found, and the one that was typed.
func (d Draft) users() []spec.User {
	out := slices.Clone(d.given.Users)
	u, ok := d.typedUser()
	if !ok {
		return out
	}
	return append(slices.DeleteFunc(out, func(o spec.User) bool { return o.Name == u.Name }), u)
}

// begin goes to the review, or to the first question that is open, if anything was
// answered beforehand.
func (w Wizard) begin() (Wizard, []Effect) {
	w.draft = w.draft.begin(*w.facts)
	if w.draft.node != "" || w.draft.from != "" {
		return w.toReview()
	}
	return w, nil
}

// refusesAnswers says that the person has not yet decided to go on without answers
// that cannot be used.
func (w Wizard) refusesAnswers() bool {
	return w.facts != nil && w.facts.AnswersErr != nil && !w.without
}

// badAnswersPage asks whether to go on without the answers.
func (w Wizard) badAnswersPage(p page) page {
	p.title, p.reading = "answers", true
	p.lines = append([]line{strong("The medium is good. The answers that were found cannot be used."),
		row("Found", Span{w.facts.AnswersFrom, Plain}), {}}, faultLines(w.facts.AnswersErr)...)
	p.fields = []field{ // the first is what one Enter too many does
		act("check", "Check the medium and look for answers again", Wizard.checkMedium),
		act("without", "Go on without these answers", func(w Wizard) (Wizard, []Effect) {
			w.without = true
			w, effects := w.begin()
			if w.step == medium {
				w = w.goTo(machinePage)
			}
			return w, effects
		}),
	}
	p.help = []string{"Answers are used whole or not at all: one that is passed over would leave a choice to chance.",
		"Without them you are asked everything."}
	return p
}

// origin says on the review who has answered beside the person.
func (w Wizard) origin() []line {
	from := w.draft.from
	if w.draft.node != "" {
		from = list(from, "the medium's roster: "+w.draft.node)
	}
	var out []line
	if from != "" {
		out = append(out, row("Filled in by", Span{from, Plain}))
	}
	if err := w.facts.AnswersErr; err != nil {
		codes := []string{}
		for _, f := range fault.All(err) {
			if !slices.Contains(codes, f.Code) {
				codes = append(codes, f.Code)
			}
		}
		out = append(out, marked(Warn, "Without "+w.facts.AnswersFrom+", which cannot be used: "+list(codes...)+"."))
	}
	return out
}
