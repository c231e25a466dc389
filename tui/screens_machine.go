package tui

import (
	"fmt"
	"strings"

	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/spec"
)

// secure says Secure Boot's state in words.
var secure = map[string]Span{
	"on": {"on", Plain}, "off": {"[!] off", Warn}, "setup": {"[!] in setup mode: no keys", Warn}, "unknown": {"[!] unknown", Warn},
}

func (w Wizard) machinePage() page {
	m := w.facts.Machine
	p := page{title: "this machine", reading: true,
		help: []string{"[!!] stands against an install. [!] is worth a look and does not stop it.", "Cables are looked at anew every second, disks every few seconds."}}
	p.lines = append(p.lines, w.verdicts()...)
	if len(p.lines) == 0 {
		p.lines = []line{marked(OK, "Nothing stands against an install.")}
	}
	p.lines = append(p.lines, line{},
		row("Machine", Span{list(m.Vendor, m.Product), Plain}),
		row("Serial", Span{orNone(m.Serial), Code}),
		row("Processors", Span{fmt.Sprintf("%d, %s", m.CPUs, orNone(m.CPU)), Plain}),
		row("Memory", Span{m.Memory.String(), Plain}))
	boot := secure[m.SecureBoot]
	if m.Firmware == machine.UEFI {
		p.lines = append(p.lines, row("Firmware", Span{"UEFI, Secure Boot ", Plain}, boot))
	} else {
		p.lines = append(p.lines, row("Firmware", Span{"[!!] BIOS mode", Bad}))
	}
	tpm := Span{"TPM " + m.TPM, Plain}
	if m.TPM == "" {
		tpm = Span{"none", Plain}
	}
	p.lines = append(p.lines, row("TPM", tpm), row("Clock", Span{stamp(w.now) + " UTC", Plain}))
	for i, d := range m.Disks {
		p.lines = append(p.lines, row(first(i, "Disks"), diskSpans(d)...))
	}
	for i, n := range m.NICs {
		p.lines = append(p.lines, row(first(i, "Network"), nicSpans(n)...))
	}
	p.fields = []field{goOn("Continue"), act("rescan", "Look again", start("rescan", Rescan{}))}
	return p
}

// verdicts are the machine's problems, worst first.
func (w Wizard) verdicts() []line {
	f := *w.facts
	var bad, warn []line
	if f.Machine.Firmware != machine.UEFI {
		bad = append(bad, marked(Bad, "It started in BIOS mode. Turn UEFI on in the firmware's setup, then start the medium again."))
	}
	fits, lacks := false, []string{}
	for _, r := range roles {
		if f.offers(r.name) {
			lacks = w.lacks(r.name)
			fits = fits || len(lacks) == 0
		}
	}
	if !fits {
		bad = append(bad, marked(Bad, "It is too small for every role: "+strings.Join(lacks, "; ")+"."))
	}
	free := 0
	for _, d := range f.Machine.Disks {
		if f.Refused[d.StablePath()] == "" {
			free++
		}
	}
	if free == 0 {
		bad = append(bad, marked(Bad, "It has no disk that can be installed to. Is the disk controller on in the firmware's setup?"))
	}
	if err := w.clockError(); err != nil {
		bad = append(bad, marked(Bad, "Its clock is behind the medium: "+stamp(w.now)+". It is set on a later screen."))
	}
	linked := false
	for _, n := range f.Machine.NICs {
		linked = linked || n.Link
	}
	if !linked && len(f.Machine.NICs) > 0 {
		warn = append(warn, marked(Warn, "No network cable is seen."))
	}
	return append(bad, warn...)
}

// lacks is what the machine has too little of for a role.
func (w Wizard) lacks(role string) []string {
	m, n := w.facts.Machine, w.facts.Needs[role]
	var out []string
	// Firmware and kernel take theirs of the memory first, as plan.Make allows.
	if m.Memory < n.Memory-n.Memory/10 {
		out = append(out, fmt.Sprintf("have %s of memory, need %s", m.Memory, n.Memory))
	}
	if m.CPUs < n.CPUs {
		out = append(out, fmt.Sprintf("have %s, need %d", count(m.CPUs, "processor"), n.CPUs))
	}
	return out
}

func diskSpans(d machine.Disk) []Span {
	out := []Span{{pad(d.Size.String(), 11) + list(strings.TrimSpace(d.Vendor+" "+d.Model), d.Transport), Plain}}
	if d.Serial != "" {
		out = append(out, Span{", serial ", Dim}, Span{d.Serial, Code})
	}
	return out
}

func nicSpans(n machine.NIC) []Span {
	link := Span{"[!] no link", Warn}
	if n.Link {
		link = Span{"[ok] link", OK}
	}
	return []Span{{pad(n.Name, 11), Plain}, {pad(n.MAC, 19), Code}, link}
}

func (w Wizard) diskPage() page {
	p := page{title: "disk", lines: []line{say("Which disk shall become the node?"), say("Everything on it will be lost."), {}},
		help: []string{"Compare the serial number with the label on the disk.", "A disk that cannot be taken says why beneath it."}}
	f := field{id: FieldDisk, kind: choice, label: "Disk", do: Wizard.next}
	switch said := w.draft.disk; {
	case said != (spec.Disk{}) && said == w.draft.given.Disk:
		f.options = append(f.options, option{value: "", label: "as the answers say: " + selector(said)})
	case w.draft.node != "":
		f.options = append(f.options, option{value: "", label: "as the roster says for " + w.draft.node})
	}
	for _, d := range w.facts.Machine.Disks {
		o := option{value: d.StablePath(), label: pad(d.Size.String(), 11) + list(strings.TrimSpace(d.Vendor+" "+d.Model), d.Transport, prefixed("serial ", d.Serial))}
		if o.refused = w.facts.Refused[d.StablePath()]; o.refused == "" {
			o.more = append(o.more, holds(d))
			if d.Removable {
				o.more = append(o.more, marked(Warn, "It is removable."))
			}
		}
		f.options = append(f.options, o)
	}
	if len(f.options) == 0 {
		f.options = []option{{label: "no disk is seen", refused: "is it plugged in, and its controller on in the firmware's setup?"}}
	}
	p.fields = []field{f, act("rescan", "Look again", start("rescan", Rescan{}))}
	return p
}

// selector is how answers choose a disk, in words.
func selector(d spec.Disk) string {
	how := "the only one"
	switch {
	case d.ByID != "":
		how = d.ByID
	case d.Serial != "":
		how = "serial " + d.Serial
	case d.Choose != "":
		how = "the " + d.Choose
	}
	if d.MinSize > 0 {
		how += ", of " + d.MinSize.String() + " or more"
	}
	return how
}

// holds is what is on a disk now, in words.
func holds(d machine.Disk) line {
	if len(d.Holds) == 0 {
		return line{spans: []Span{{"blank", Plain}}}
	}
	return marked(Warn, "holds now: "+strings.Join(d.Holds, ", "))
}

func list(parts ...string) string {
	var out []string
	for _, s := range parts {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, ", ")
}

func prefixed(p, s string) string {
	if s == "" {
		return ""
	}
	return p + s
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// first names only the first row of a group.
func first(i int, name string) string {
	if i > 0 {
		return ""
	}
	return name
}
