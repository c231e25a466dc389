package tui

import (
	"slices"

	"caisson.dev/caisson/spec"
)

// errors are what is wrong with the draft, by field.
func (w Wizard) errors() map[Field][]error {
	if w.facts == nil {
		return nil
	}
	_, wrong := w.draft.Answers(*w.facts)
	if err := w.clockError(); err != nil {
		wrong[FieldClock] = append(wrong[FieldClock], err)
	}
	if err := w.takenError(); err != nil {
		wrong[FieldTaken] = append(wrong[FieldTaken], err)
	}
	if err := w.phraseError(); err != nil {
		wrong[FieldPhrase] = []error{err}
	}
	w.judgePassword(wrong)
	return wrong
}

// next leaves a page for the one after it, if nothing on it is wrong.
func (w Wizard) next() (Wizard, []Effect) {
	wrong := w.errors()
	asks := w.step == networkPage && w.asks(true)
	if asks {
		delete(wrong, FieldTaken) // it may be free by now
	}
	for i, f := range w.page().fields {
		if len(wrong[f.id]) > 0 {
			w.tried, w.focus = true, i
			return w.settle(), nil
		}
	}
	if w.step == usersPage && textOf(w.password.typed) != "" {
		return w.hashPassword()
	}
	to := w.shown(w.step+1, 1)
	switch {
	case asks:
		return w.ask(false)
	case to == review || w.step == review && w.asks(false):
		return w.toReview()
	}
	return w.goTo(to), nil
}

// toReview asks for the plan, or goes to the first page that stands against it.
func (w Wizard) toReview() (Wizard, []Effect) {
	answers, _ := w.draft.Answers(*w.facts)
	wrong := w.errors()
	w.asking = nil
	for s := machinePage; s < review; s = w.shown(s+1, 1) {
		w.step, w.over = s, nothing
		for _, f := range w.page().fields {
			if len(wrong[f.id]) > 0 {
				w = w.goTo(s)
				w.tried = true
				w.focus = max(w.page().find(f.id), 0)
				return w.settle(), nil
			}
		}
		if s == networkPage && w.asks(false) {
			return w.goTo(s).ask(true)
		}
	}
	if w.needsSecrets() && !w.seal.open {
		return w.goTo(secretsPage), nil
	}
	w = w.goTo(review)
	if len(wrong) > 0 { // of no field: said on the review
		w.planErr = firstOf(wrong)
		return w, nil
	}
	w.number++
	w.planned, w.plan, w.planErr = answers, nil, nil
	w.draft = w.draft.with(FieldTyped, "")
	w = w.waits("plan", true)
	return w, []Effect{Plan{Number: w.number, Answers: answers}}
}

func firstOf(wrong map[Field][]error) error {
	var at []string
	for f := range wrong {
		at = append(at, string(f))
	}
	slices.Sort(at)
	return wrong[Field(at[0])][0]
}

// answers are what is saved to a stick; consent is in them once it was given.
func (w Wizard) answers() spec.Answers {
	a, _ := w.draft.Answers(*w.facts)
	if w.install.begun && w.plan != nil {
		a.Confirm.Erase = consentFor(w.plan.Disk).erase
	}
	return a
}

// New is the first screen of a medium.
func New(m Medium) Wizard {
	return Wizard{medium: m, size: Canvas{Width: 80, Height: 24}}
}
