package tui

import (
	"strconv"
	"strings"

	"caisson.dev/caisson/spec"
)

func (w Wizard) donePage() page {
	r := w.result
	p := page{title: "done", help: []string{"The record on the node says what was done, step by step.", "Its digest here is its fingerprint: write it down, or read the square with a camera.",
		"The manifest's digest is the medium's own, as on the first screen: it says what the node was made from."}}
	p.lines = []line{marked(OK, "The node is on the disk."),
		row("Node", Span{w.plan.Node, Strong}, Span{", " + w.plan.Role, Plain}),
		row("Address", Span{orDHCP(r.Address), Code}),
		row("Record", Span{grouped(string(r.Record)), Code}),
		row("Release", Span{w.plan.Release, Code}),
		row("Manifest", Span{grouped(string(w.plan.Manifest)), Code}), {}}
	for n, s := range []string{"Write the Record's digest down.", w.afterwards(), w.becomesReady()} {
		p.lines = append(p.lines, line{spans: []Span{{strconv.Itoa(n+1) + ". ", Dim}, {s, Plain}}, hang: 3})
	}
	p.square = strings.ToUpper(string(r.Record))
	leaveNow := map[string]field{"reboot": act("reboot", "Restart now", leave("reboot")), "poweroff": act("poweroff", "Power off now", leave("poweroff"))}
	order := []field{leaveNow["reboot"], leaveNow["poweroff"]}
	if w.plan.After == "poweroff" {
		order[0], order[1] = order[1], order[0]
	}
	p.fields = append(order, act("save", "Save the answers to a stick", save))
	return p
}

// afterwards is how the node is started.
func (w Wizard) afterwards() string {
	switch w.plan.After {
	case "poweroff":
		return "Take the medium out, power off, move the machine to its place, power on."
	case "reboot":
		return "Take the medium out, then restart."
	}
	return "Take the medium out. Restart or power off when you like: at its next start the node comes up from its disk."
}

// becomesReady is what is true of the node then: a worker of a profile that joins
// none waits for a person.
func (w Wizard) becomesReady() string {
	switch j := w.joins(); {
	case j != nil:
		return "It joins " + j.Name + " by itself: once that is Ready, this is some minutes later."
	case w.plan.Role == spec.Worker:
		return "It is not Ready before it is joined by hand: no worker of this profile joins by itself."
	}
	return "It is Ready some minutes later."
}
