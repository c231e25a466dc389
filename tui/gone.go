package tui

// watches says whether the medium is looked for now: between its check and the
// install it is read from nowhere else, and a pulled stick would stay unnoticed.
func (w Wizard) watches() bool { return w.step > medium && w.step < progress }

// watched hears whether the medium is still there. What was typed and planned
// stays: every file is compared with the manifest again when it is read.
func (w Wizard) watched(err error) (Wizard, []Effect) {
	was := w.gone
	w.gone = nil
	if !w.watches() {
		return w, nil
	}
	w.gone = err
	switch {
	case err != nil && was == nil:
		return w.open(nothing), nil
	case err == nil && was != nil && w.step == review && w.planErr != nil: // it may have failed for that
		return w.toReview()
	case err == nil && was != nil:
		return w.open(nothing).ended("The medium is back.", nil), nil
	}
	return w, nil
}

// gonePage stands in place of every question while there is no medium.
func (w Wizard) gonePage() page {
	return page{title: "no medium", reading: true,
		help:   []string{"The install reads all that it writes from the medium.", "It is looked for every few seconds. Then the way goes on where it was."},
		lines:  append([]line{strong("The medium is gone. Nothing was written."), {}}, faultLines(w.gone)...),
		fields: []field{act("watch", "Look again", start("watch", Watch{}))},
	}
}
