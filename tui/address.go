package tui

import (
	"net/netip"
	"reflect"

	"caisson.dev/caisson/spec"
)

// question is what the network is asked: has somebody the address on these
// cards already?
type question struct {
	network  spec.NodeNetwork // no more of it than matters
	linked   bool             // a cable was in
	toReview bool             // asked on the way to the review
}

// answered is a question with what the network said.
type answered struct {
	question
	AddressAsked
}

// question is the one of the draft as it is; ok is false if there is none: the
// node stands alone, or is given its address by DHCP.
func (w Wizard) question() (q question, ok bool) {
	n, _ := w.draft.network()
	q.network = spec.NodeNetwork{Interface: n.Interface, Bond: n.Bond, VLAN: n.VLAN, Address: n.Address, Gateway: n.Gateway}
	_, err := netip.ParsePrefix(n.Address)
	if w.facts == nil || n.Interface == spec.NoInterface || err != nil {
		return q, false
	}
	cards, _ := w.facts.Machine.Cards(n)
	for _, c := range cards {
		q.linked = q.linked || c.Link
	}
	return q, true
}

// known is the answer to the question of the draft, if it was asked.
func (w Wizard) known() (a answered, ok bool) {
	q, is := w.question()
	if !is || w.asked == nil || !reflect.DeepEqual(w.asked.question.network, q.network) {
		return a, false
	}
	return *w.asked, true
}

// asks says whether the network is to be asked: it never was, or there was no
// cable then, or the wrong one, as it seems. Whoever leaves the page asks again for any answer but a good one.
func (w Wizard) asks(leaving bool) bool {
	q, is := w.question()
	a, ok := w.known()
	switch {
	case !is || !ok:
		return is
	case a.Err != nil:
		return leaving && w.draft.get(FieldTaken) == ""
	}
	return a.Silent && leaving || a.Untested != "" && (leaving || q.linked && !a.linked)
}

// ask asks. The page waits, and can be left.
func (w Wizard) ask(toReview bool) (Wizard, []Effect) {
	q, _ := w.question()
	q.toReview = toReview
	w.asking, w.tried, w.focus, w.scroll = &q, false, 0, 0
	w.draft = w.draft.with(FieldTaken, "")
	return w.settle(), []Effect{AskAddress{Network: q.network}}
}

// addressAsked goes on, or stays for a person to decide.
func (w Wizard) addressAsked(ev AddressAsked) (Wizard, []Effect) {
	q := w.asking
	if q == nil || !reflect.DeepEqual(q.network, ev.Network) {
		return w, nil // nobody waits for it any more
	}
	w.asking, w.asked = nil, &answered{*q, ev}
	switch {
	case w.over != nothing: // the page is still there when what lies over it goes
		return w, nil
	case ev.Err != nil:
		w.tried = true
		w.focus = max(w.page().find(FieldAddress), 0)
		return w.settle(), nil
	case q.toReview:
		return w.toReview()
	}
	return w.goTo(w.step + 1), nil
}

// takenError is what stands against the address: somebody has it, and nobody
// said to use it all the same.
func (w Wizard) takenError() error {
	if a, ok := w.known(); ok && w.draft.get(FieldTaken) == "" {
		return a.Err
	}
	return nil
}

// askingLines are the page while the network is asked.
func (w Wizard) askingLines() []line {
	return []line{say("Asking the network whether somebody has " + w.asking.address() + " already" + prefixed(", in VLAN ", numberText(w.asking.network.VLAN)) + ". Takes 2 s.")}
}

// addressLines are what the network said, for the review.
func (w Wizard) addressLines() []line {
	a, ok := w.known()
	switch {
	case !ok:
		return nil
	case a.Err != nil:
		return []line{marked(Warn, "Somebody has "+a.address()+": it is used all the same, as was chosen.")}
	case a.Untested != "":
		return []line{marked(Warn, "Whether somebody has "+a.address()+" was not tested: "+a.Untested+".")}
	case a.Silent:
		return []line{marked(Warn, "Nobody on "+a.On+" answers to "+a.address()+", but nor does the gateway "+a.question.network.Gateway+": is the cable in the right place"+box(a.question.network.VLAN != 0, ", and the VLAN right", "")+"?")}
	}
	return []line{marked(OK, "Nobody on "+a.On+" answers to "+a.address()+".")}
}

// address is the one that is asked for, without the length of its network.
func (q question) address() string {
	p, _ := netip.ParsePrefix(q.network.Address)
	return p.Addr().String()
}
