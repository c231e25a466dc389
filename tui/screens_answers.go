package tui

import (
	"slices"
	"strings"
	"time"

	"caisson.dev/caisson/spec"
)

const clockForm = "2006-01-02 15:04"

// stamp is a time to the minute, UTC.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.UTC().Format(clockForm)
}

func (w Wizard) networkPage() page {
	p := page{title: "network", help: []string{"The address is the node's own, with the length of its network: 10.20.0.11/24.",
		"The gateway may stay empty: nothing in the enclave needs a way out.", "DHCP needs a server that gives this node the same address each time.",
		"A card shows a link if its cable is in and there is something at the other end.",
		"An address that somebody has already is found by asking the network, before the next question.",
		"The gateway is asked for, too: its answer shows that the cable is in the right place."}}
	if w.asking != nil {
		p.lines = w.askingLines()
		return p
	}
	p.lines = w.cardProblems()
	card := field{id: FieldInterface, kind: choice, label: "Card"}
	for _, n := range w.facts.Machine.NICs {
		card.options = append(card.options, option{value: n.Name, label: cardText(n)})
	}
	card.options = append(card.options, bondOption(w.facts.Machine.NICs)...)
	card.options = append(card.options, option{value: spec.NoInterface, label: pad("none", 11) + "a node that stands alone"})
	if have := w.draft.get(FieldInterface); card.option(have) < 0 { // of the roster
		label := have
		if have == "" {
			label = pad("any", 11) + "every Ethernet card that has a link"
		}
		card.options = append(card.options, option{value: have, label: label})
	}
	mode := field{id: FieldMode, kind: choice, label: "Address by", options: []option{
		{value: static, label: "typing it in"}, {value: dhcp, label: "DHCP"}}}
	p.fields = []field{card}
	if w.draft.get(FieldInterface) == bonded {
		p.fields = append(p.fields, w.draft.bondFields(w.facts.Machine)...)
	}
	p.fields = append(p.fields, mode)
	if w.draft.get(FieldMode) != dhcp {
		p.fields = append(p.fields, field{id: FieldAddress, kind: text, label: "Address", width: 18, form: "as in 10.20.0.11/24"})
		if a, ok := w.known(); ok && a.Err != nil {
			p.fields = append(p.fields, field{id: FieldTaken, kind: toggle, label: "somebody has it: use it all the same"})
		}
		p.fields = append(p.fields,
			field{id: FieldGateway, kind: text, label: "Gateway", width: 18, form: "may stay empty"})
	}
	if w.draft.get(FieldInterface) != spec.NoInterface {
		p.fields = append(p.fields,
			field{id: FieldVLAN, kind: text, label: "VLAN", width: 18, form: "1 to 4094; empty: untagged"},
			field{id: FieldMTU, kind: text, label: "MTU", width: 18, form: "empty: as the card has it"})
	}
	p.fields = append(p.fields, goOn("Continue"))
	return p
}

func (w Wizard) namePage() page {
	return page{title: "name", lines: []line{say("What is this node called in the cluster?"), {}},
		help: []string{"1 to 63 of a-z, 0-9 and -, no - at either end. Each node has a name of its own.", "Power off if the machine is to be moved before it starts."},
		fields: []field{
			{id: FieldName, kind: text, label: "Name", width: 32, form: "as in node1"},
			{id: FieldAfter, kind: choice, label: "When done", options: []option{
				{value: "reboot", label: "restart: the node comes up"}, {value: "poweroff", label: "power off"}, {value: "stay", label: "stay here, and ask"}}},
			goOn("Continue"),
		}}
}

func (w Wizard) timePage() page {
	p := page{title: "time", help: []string{"Certificates made before their time are not valid: the clock must not be behind the medium.",
		"UTC is the time at Greenwich, with no summer time."}}
	p.lines = []line{
		row("Clock", Span{stamp(w.now) + " UTC", Plain}),
		row("Medium made", Span{stamp(w.facts.Built) + " UTC", Plain}), {}}
	switch {
	case w.clockError() != nil:
		p.lines = append(p.lines, marked(Bad, "The clock is behind the medium. Set it."))
	case w.now.Sub(w.facts.Built) > 2*365*24*time.Hour:
		p.lines = append(p.lines, marked(Warn, "The medium is more than two years old, or the clock is wrong."))
	default:
		p.lines = append(p.lines, marked(OK, "The clock may be right: it is later than the medium."))
	}
	servers := "none: the node keeps its own clock"
	if ntp := w.facts.Enclave.Time.NTP; len(ntp) > 0 {
		servers = "of the enclave: " + strings.Join(ntp, " ")
	}
	p.lines = append(p.lines, line{}, row("Time servers", Span{servers, Plain}), line{})
	p.fields = []field{
		{id: FieldClock, kind: text, label: "Time, UTC", width: 18, form: "year-month-day hour:minute"},
		{id: FieldNTP, kind: text, label: "Servers", width: 32, form: "in place of those"},
		act("set", "Set the clock to this", Wizard.setClock),
		goOn("Continue"),
	}
	return p
}

// clockError says whether the clock is plainly wrong: the medium was made later.
func (w Wizard) clockError() error {
	if w.facts == nil || w.now.IsZero() || !w.now.Before(w.facts.Built) {
		return nil
	}
	return ClockWild.New("cannot go on with this clock: have %s UTC, need a time after the medium was made, %s UTC", stamp(w.now), stamp(w.facts.Built))
}

func (w Wizard) setClock() (Wizard, []Effect) {
	typed := trimmed(w.draft, FieldClock)
	t, err := time.Parse(clockForm, typed)
	switch {
	case err != nil:
		return w.ended("", ClockForm.New("cannot set the clock: have %q, need year-month-day hour:minute, as in 2026-11-25 14:05", typed)), nil
	case t.Before(w.facts.Built):
		return w.ended("", ClockWild.New("cannot set the clock: have %s UTC, need a time after the medium was made, %s UTC", stamp(t), stamp(w.facts.Built))), nil
	}
	return start("clock", SetClock{Now: t})(w)
}

func (w Wizard) usersPage() page {
	p := page{title: "administrators", help: []string{"These people can log in to the node and act as root.",
		"A key is one line of a file such as id_ed25519.pub. It can be pasted on a serial line, or read from a second stick: files *.pub.",
		"The password opens the menu on the node's own screen, whose keyboard has the US layout. Only its hash (crypt(5), SHA-512) is kept. SSH takes keys alone."}}
	if w.waiting["password"] {
		p.lines = []line{say("Making the hash of the password. This takes a moment.")}
		return p
	}
	medium, given := w.facts.Enclave.Users, w.draft.given.Users
	if len(medium) == 0 && len(given) == 0 {
		p.lines = append(p.lines, marked(Warn, "The medium brings no account: without one here nobody can log in to the node."))
	}
	p.lines = append(p.lines, accounts("The medium brings these accounts:", medium)...)
	p.lines = append(p.lines, accounts("The answers bring these accounts, in place of any of the same name:", given)...)
	p.lines = append(p.lines, line{}, say("One more may be added, or none. The key is for SSH. The password is for the node's own screen, whose menu stays shut without one, and for sudo."), line{})
	p.fields = []field{
		{id: FieldUser, kind: text, label: "Account", width: 32, form: "as in ops"},
		{id: FieldKey, kind: text, label: "SSH key", width: 48, form: "ssh-ed25519 AAAA..."},
	}
	on := goOn("Continue: make the plan")
	if w.needsSecrets() {
		on.label = "Continue"
	}
	p.fields = slices.Concat(p.fields, w.draft.keyFields(), w.passwordFields(), []field{on, act("keys", "Read keys from a stick", start("keys", ReadKeys{}))})
	if w.draft.get(FieldHash) != "" {
		p.fields = append(p.fields, act("unset", "Take the password away", Wizard.unsetPassword))
	}
	name := trimmed(w.draft, FieldUser)
	for i, u := range slices.Concat(medium, given) {
		if whose := box(i < len(medium), "medium's", "answers'"); u.Name == name && name != "" {
			p.lines = append(p.lines, marked(Warn, "This replaces the "+whose+" account "+name+"."), line{})
		}
	}
	return p
}

// accounts lists users beneath a sentence.
func accounts(sentence string, users []spec.User) []line {
	if len(users) == 0 {
		return nil
	}
	out := []line{say(sentence)}
	for _, u := range users {
		means := []string{count(len(u.SSHKeys), "key")}
		if u.PasswordHash != "" {
			means = append(means, "a password")
		}
		kind := "may log in"
		if u.Admin {
			kind = "may act as root"
		}
		out = append(out, line{spans: []Span{{"  " + pad(u.Name, 16), Strong}, {list(append([]string{kind}, means...)...), Plain}}})
	}
	return out
}
