package tui

import "caisson.dev/caisson/spec"

// The fields of an administrator's password. What is typed is in no Draft: only
// its hash is.
const (
	FieldPassword Field = "password"
	FieldAgain    Field = "password-again"
	FieldHash     Field = "hash" // crypt(5), of the host; on no page
)

// leastPassword is what NIST SP 800-63B section 5.1.1.2 asks of a password that a
// person chooses. As it advises there, nothing else is asked: rules about digits
// and signs make worse ones.
const leastPassword = 8

// password is what was typed until its hash is made.
type password struct {
	typed, again *string // behind pointers, as in seal
	try          int     // number of the last hash that was asked for
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// secret says that a field's text is shown nowhere and may hold any character.
func secret(id Field) bool { return id == FieldPhrase || id == FieldPassword || id == FieldAgain }

// fillSecret keeps what was typed for such a field.
func (w Wizard) fillSecret(id Field, value string) Wizard {
	switch id {
	case FieldPhrase:
		w.seal.typed = &value
	case FieldPassword:
		if w.password.typed = &value; value == "" {
			w.password.again = nil // there is no such question any more
		}
	case FieldAgain:
		w.password.again = &value
	}
	return w
}

// forgetPassword drops what was typed; a hash of it that comes yet does not count.
func (w Wizard) forgetPassword() Wizard {
	w.password = password{try: w.password.try + 1}
	return w.waits("password", false)
}

// judgePassword puts what is wrong with the password by its fields.
func (w Wizard) judgePassword(wrong map[Field][]error) {
	typed := textOf(w.password.typed)
	if typed == "" {
		return
	}
	delete(wrong, FieldPassword) // that there is none
	switch n := len([]rune(typed)); {
	case n < leastPassword || len(typed) > mostPassword:
		wrong[FieldPassword] = []error{PasswordLength.New("cannot use the password: have %d characters, need %d to %d", n, leastPassword, mostPassword)}
	case textOf(w.password.again) != typed:
		wrong[FieldAgain] = []error{PasswordDiffers.New("cannot use the password: have two that differ, need the same one twice")}
	}
}

// passwordFields ask for the password of an account that was named, or for
// another one.
func (w Wizard) passwordFields() []field {
	form := "may stay empty"
	if trimmed(w.draft, FieldUser) == "" && w.draft.get(FieldHash) == "" && textOf(w.password.typed) == "" {
		return nil
	}
	if w.draft.get(FieldHash) != "" {
		form = "is set; this replaces it"
	}
	out := []field{{id: FieldPassword, kind: text, label: "Password", width: 32, form: form, hidden: true}}
	if textOf(w.password.typed) != "" {
		out = append(out, field{id: FieldAgain, kind: text, label: "Again", width: 32, hidden: true})
	}
	return out
}

// unsetPassword is for an account that shall have a key alone.
func (w Wizard) unsetPassword() (Wizard, []Effect) {
	return w.fill(FieldHash, "").settle(), nil
}

// hashPassword asks the host for the hash: its salt comes from outside.
func (w Wizard) hashPassword() (Wizard, []Effect) {
	w.password.try++
	w, effects := start("password", HashPassword{Number: w.password.try, Password: Passphrase(textOf(w.password.typed))})(w)
	return w.settle(), effects
}

// hashed takes what that ended with, and goes on.
func (w Wizard) hashed(ev Hashed) (Wizard, []Effect) {
	if ev.Number != w.password.try || !w.waiting["password"] {
		return w, nil // of a page that was left since
	}
	w = w.waits("password", false)
	if ev.Err != nil {
		return w.settle().ended("", ev.Err), nil
	}
	w = w.forgetPassword().fill(FieldHash, ev.Hash)
	if w.step == usersPage && w.over == nothing {
		return w.next()
	}
	return w.settle(), nil
}

// typedUser is the account that was typed, if anything of one was.
func (d Draft) typedUser() (spec.User, bool) {
	u := spec.User{Name: trimmed(d, FieldUser), PasswordHash: d.get(FieldHash), Admin: true, SSHKeys: d.keys()}
	return u, u.Name != "" || len(u.SSHKeys) > 0 || u.PasswordHash != ""
}
