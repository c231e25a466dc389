package tui

import (
	"slices"
	"strings"
	"time"

	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/spec"
)

// installing is an install that others carry out, as far as it was heard of.
type installing struct {
	begun  bool // consent was given
	ended  bool
	err    error
	step   int // under way, from 1
	work   work
	record string
	log    []string
}

// mostLog is how many messages are kept to be read.
const mostLog = 500

// take hears one event of the install.
func (i installing) take(e event.Event, now time.Time) installing {
	switch e.Name {
	case "step":
		i.step, i.work = e.Step, work{}
		if e.Size > 0 {
			i.work = work{}.at(0, e.Size, now)
		}
	case "progress":
		i.work = i.work.at(e.Done, e.Size, now)
		return i
	}
	if e.Message != "" {
		i.log = append(slices.Clone(i.log[max(0, len(i.log)-mostLog+1):]), e.Message)
	}
	return i
}

func (w Wizard) installed(ev Installed) Wizard {
	if w.step != progress || w.install.ended {
		return w
	}
	w.install.ended, w.install.err = true, ev.Err
	if ev.Err != nil {
		return w.open(nothing)
	}
	r := ev.Result
	w.result = &r
	return w.goTo(done)
}

// consent is what a person types to agree, and the text that stands for it.
type consent struct {
	typed string // the last characters of what
	what  string // "serial number", "by-id name", "path"
	whole string
	erase string
}

// asked is how many characters are typed: enough to have looked at the label.
const asked = 4

// consentFor names the disk by the best that it has.
func consentFor(t plan.Target) consent {
	serial := strings.TrimSpace(t.Serial)
	switch {
	case typable(serial):
		return consent{typed: last(serial), what: "serial number", whole: t.Serial, erase: spec.EraseSerial + t.Serial}
	case len(t.IDs) > 0 && typable(t.IDs[0]):
		return consent{typed: last(t.IDs[0]), what: "by-id name", whole: t.IDs[0], erase: spec.EraseByID + t.IDs[0]}
	}
	// It has no name of its own. The plan names it by its place, and consent is
	// to that plan alone (plan.Confirm).
	return consent{typed: last(t.Path), what: "path", whole: t.Path, erase: spec.EraseAny}
}

func typable(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func last(s string) string { return s[max(0, len(s)-asked):] }

// agree starts the install if what was typed names the disk.
func (w Wizard) agree() (Wizard, []Effect) {
	if w.step != confirm || w.plan == nil || w.install.begun && !w.install.ended {
		return w, nil
	}
	c := consentFor(w.plan.Disk)
	if typed := trimmed(w.draft, FieldTyped); !strings.EqualFold(typed, c.typed) {
		w.tried, w.focus = true, 0
		return w.settle(), nil
	}
	w.install, w.result = installing{begun: true}, nil
	w = w.goTo(progress)
	return w, []Effect{Install{Plan: *w.plan, Erase: c.erase}}
}

// again goes back to the start of the questions after an install that failed:
// the disk is another one now.
func (w Wizard) again() (Wizard, []Effect) {
	w.install = installing{}
	w = w.goTo(machinePage).stale()
	return w.waits("rescan", true), []Effect{Rescan{}}
}

// stepNames are the kinds of step in few words, for the list while it runs.
var stepNames = map[plan.Kind]string{
	plan.Clear: "Clear the disk", plan.Divide: "Divide the disk", plan.MakeFS: "Make the file system in", plan.WriteImage: "Write the node OS to",
	plan.StateTree: "Make the node's folders in", plan.CopyFiles: "Copy the node's programs to", plan.LayImages: "Copy the container images to",
	plan.Configure: "Configure the node in", plan.PlaceSecrets: "Place the cluster's CAs and keys in", plan.WriteESP: "Write boot loader and kernel to", plan.Record: "Write the record to",
	plan.BootEntry: "Write the boot entry to", plan.Activate: "Write the partition table",
}

func stepName(s plan.Step) string {
	name := stepNames[s.Kind]
	if name == "" {
		name = string(s.Kind)
	}
	if s.Partition != "" {
		name += " " + s.Partition
	}
	return name
}
