package tui

import (
	"fmt"
	"slices"

	"caisson.dev/caisson/spec"
)

// The fields of the secrets' page. What is typed into FieldPhrase is in no Draft.
const (
	FieldPhrase Field = "passphrase"
	FieldShow   Field = "show"
)

// Passphrase is text that may be seen on no screen and in no log: it prints as
// nothing.
type Passphrase string

// Format prints that it is there.
func (Passphrase) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(not shown)") }

// MarshalJSON does the same.
func (Passphrase) MarshalJSON() ([]byte, error) { return []byte(`"(not shown)"`), nil }

// seal is how far the medium's sealed secrets are opened. What is in them never
// comes here: the Host keeps it.
type seal struct {
	typed *string // behind a pointer: a wizard that is printed shows an address
	try   int     // number of the last
	open  bool
}

// text is what was typed.
func (s seal) text() string { return textOf(s.typed) }

// needsSecrets says whether a node of the role that was chosen gets them.
func (w Wizard) needsSecrets() bool {
	return w.facts != nil && w.facts.Secrets != nil && slices.Contains(w.facts.SecretRoles, w.draft.roleOf())
}

// shown leaves a step out if there is nothing on it.
func (w Wizard) shown(s, by step) step {
	if s == secretsPage && !w.needsSecrets() {
		return s + by
	}
	return s
}

// place is the number of the step, and of all that there are.
func (w Wizard) place() (n, of int) {
	n, of = int(w.step)+1, int(steps)
	if w.needsSecrets() {
		return n, of
	}
	if w.step > secretsPage {
		n--
	}
	return n, of - 1
}

// value is a field's text.
func (w Wizard) value(id Field) string {
	switch id {
	case FieldPhrase:
		return w.seal.text()
	case FieldPassword:
		return textOf(w.password.typed)
	case FieldAgain:
		return textOf(w.password.again)
	}
	return w.draft.get(id)
}

// forget drops what was typed, and no longer shows what will be.
func (w Wizard) forget() Wizard {
	w.seal.typed = nil
	w.draft = w.draft.with(FieldShow, "")
	return w
}

// phraseError says that nothing was typed.
func (w Wizard) phraseError() error {
	if w.step != secretsPage || w.seal.open || w.seal.text() != "" {
		return nil
	}
	return spec.AnswersIncomplete.New("cannot open the secrets: have nothing, need the passphrase that they were sealed with")
}

func (w Wizard) secretsPage() page {
	p := page{title: "secrets", help: []string{"The passphrase was chosen when the secrets were made. It is not kept, and in nothing that is saved.",
		"A wrong one may be tried again. Without it this medium cannot make a node of this role.",
		"A passphrase that is shown is shown on every console. Ctrl-C opens this help while you type."}}
	said := w.facts.Secrets
	p.lines = []line{say("The cluster's CAs and keys travel on this medium, sealed with a passphrase."), {}}
	const column = 16
	for _, c := range said.CAs {
		p.lines = append(p.lines, line{spans: []Span{{pad(c.Name, column), Dim}, {grouped(string(c.Fingerprint)), Code}}, hang: column})
	}
	p.lines = append(p.lines, dim("Compare these fingerprints with the paper."), line{})
	switch {
	case w.waiting["secrets"]:
		p.lines = append(p.lines, say("Opening them. This takes some seconds, on a slow machine a minute."))
	case w.seal.open:
		p.lines = append(p.lines, marked(OK, "They are open, and are what the medium says of them."))
		p.fields = []field{goOn("Continue: make the plan")}
	default:
		p.fields = []field{
			{id: FieldPhrase, kind: text, label: "Passphrase", width: 48, hidden: w.draft.get(FieldShow) == ""},
			act("open", "Open them and make the plan", Wizard.unseal),
			{id: FieldShow, kind: toggle, label: "Show the passphrase"},
		}
	}
	return p
}

// unseal asks the host to open the secrets.
func (w Wizard) unseal() (Wizard, []Effect) {
	if w.phraseError() != nil {
		w.tried, w.focus = true, 0
		return w.settle(), nil
	}
	w.seal.try++
	return start("secrets", OpenSecrets{Number: w.seal.try, Passphrase: Passphrase(w.seal.text())})(w)
}

// unsealed takes what that ended with. What was typed stays if it was wrong.
func (w Wizard) unsealed(ev SecretsOpened) (Wizard, []Effect) {
	if ev.Number != w.seal.try || !w.waiting["secrets"] {
		return w, nil // of a medium that was checked again since
	}
	w = w.waits("secrets", false)
	if ev.Err != nil {
		w.focus = 0
		return w.settle().ended("", ev.Err), nil
	}
	w = w.forget()
	w.seal.open = true
	if w.step == secretsPage && w.over == nothing {
		return w.toReview()
	}
	return w.settle(), nil
}
