package tui

import (
	"maps"
	"slices"
	"strings"

	"caisson.dev/caisson/installer/machine"
)

// linked takes the news of cables. Nothing that was typed or chosen changes, nor
// where the keys are, and a plan stands: it does not depend on cables.
func (w Wizard) linked(up map[string]bool) Wizard {
	w.links = maps.Clone(up)
	if w.facts == nil || w.step >= progress {
		return w
	}
	facts := *w.facts
	facts.Machine = w.cabled(facts.Machine)
	w.facts = &facts
	w.scroll = min(w.scroll, w.layout(w.size).most)
	return w
}

// cabled is a machine with its cables as they were last seen: what was probed at
// the same time may be older.
func (w Wizard) cabled(m machine.Machine) machine.Machine {
	if w.links == nil {
		return m
	}
	m.NICs = slices.Clone(m.NICs)
	for i, n := range m.NICs {
		m.NICs[i].Link = w.links[n.Name]
	}
	return m
}

// cardProblems says in words what is wrong with the cards that are chosen.
func (w Wizard) cardProblems() []line {
	n, _ := w.draft.network()
	if w.facts == nil || w.draft.get(FieldInterface) == bonded && len(n.Bond.Interfaces) == 0 {
		return nil
	}
	cards, missing := w.facts.Machine.Cards(n)
	var out []line
	if len(missing) > 0 {
		out = append(out, marked(Warn, "this machine has no card "+strings.Join(missing, ", ")))
	}
	var without []string
	for _, c := range cards {
		if !c.Link {
			without = append(without, c.Name)
		}
	}
	one := n.Interface != "" || len(n.Bond.Interfaces) > 0 // else any card will do
	switch all := len(without) == len(cards); {
	case len(without) == 0 || !one && !all:
	case all:
		out = append(out, marked(Warn, "no link on "+strings.Join(without, ", ")+": is the cable in at both ends?"))
	default:
		out = append(out, marked(Warn, "no link on "+strings.Join(without, ", ")+": the bond works without"))
	}
	return out
}
