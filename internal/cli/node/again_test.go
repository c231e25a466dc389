package node

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/spec"
	"caisson.dev/caisson/tui"
)

// person goes through the screens with a host behind them that writes no disk.
type person struct {
	t      *testing.T
	w      tui.Wizard
	h      *host
	asked  spec.Answers // of the last plan
	plan   plan.Plan
	agreed string
	saved  int
}

func (p *person) does(events ...tui.Event) {
	p.t.Helper()
	for _, ev := range events {
		var effects []tui.Effect
		p.w, effects = p.w.Update(ev)
		for _, e := range effects {
			if answer := p.answer(e); answer != nil {
				p.does(answer)
			}
		}
	}
}

func (p *person) answer(e tui.Effect) tui.Event {
	switch e := e.(type) {
	case tui.Verify:
		facts, err := p.h.Verify(p.t.Context(), func(int64, int64) {})
		if err != nil {
			p.t.Fatal(err)
		}
		return tui.MediumOK{Facts: facts}
	case tui.AskAddress:
		return p.h.AskAddress(p.t.Context(), e.Network)
	case tui.HashPassword:
		hash, err := p.h.HashPassword(string(e.Password))
		return tui.Hashed{Number: e.Number, Hash: hash, Err: err}
	case tui.Plan:
		made, err := p.h.Plan(e.Answers)
		if err != nil {
			p.t.Fatal(err)
		}
		p.asked, p.plan = e.Answers, made
		return tui.Planned{Number: e.Number, Plan: made}
	case tui.Install:
		p.agreed = e.Erase
		return tui.Installed{}
	case tui.SaveAnswers:
		where, err := p.h.SaveAnswers(p.t.Context(), e.Answers)
		if err != nil {
			p.t.Fatal(err)
		}
		p.saved++
		return tui.Saved{Where: where}
	}
	return nil
}

// TestSavedAnswersInstallAgain: what the screens save at the end installs the same
// node with nobody present: the same answers, and but for the consent in them the
// same plan to the byte. Saved before anybody agreed, it writes nothing.
func TestSavedAnswersInstallAgain(t *testing.T) {
	b := newBench(t)
	b.stick = t.TempDir()
	h := newHost(t, b)
	first, err := firstSight(os.DirFS(h.c.Medium))
	if err != nil {
		t.Fatal(err)
	}
	p := &person{t: t, w: tui.New(first), h: h}
	on := tui.Press{Field: "continue"}
	p.does(tui.Tick{Now: b.now()}, tui.Press{Field: "check"}, on, on,
		tui.Fill{Field: tui.FieldRole, Value: spec.ControlPlane}, tui.Press{Field: tui.FieldRole},
		tui.Fill{Field: tui.FieldDisk, Value: "/dev/disk/by-id/virtio-D1"}, tui.Press{Field: tui.FieldDisk},
		tui.Fill{Field: tui.FieldInterface, Value: spec.NoInterface}, tui.Fill{Field: tui.FieldAddress, Value: "10.20.0.31/24"}, on,
		tui.Fill{Field: tui.FieldName, Value: "edge1"}, tui.Fill{Field: tui.FieldAfter, Value: "poweroff"}, on,
		tui.Fill{Field: tui.FieldNTP, Value: "10.20.0.1 ntp.enclave"}, on,
		tui.Fill{Field: tui.FieldUser, Value: "ops"}, tui.Fill{Field: tui.FieldPassword, Value: "swordfish 9"}, tui.Fill{Field: tui.FieldAgain, Value: "swordfish 9"}, on)
	saved := func(times int) string {
		t.Helper()
		p.does(tui.Press{Field: "save"})
		if p.saved != times {
			t.Fatalf("saved %d times, want %d:\n%s", p.saved, times, p.w.View(tui.Canvas{Width: 80, Height: 24}).Text())
		}
		raw, err := os.ReadFile(filepath.Join(b.stick, "answers.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	before := saved(1)
	p.does(on, tui.Fill{Field: tui.FieldTyped, Value: "D1"}, tui.Press{Field: "install"})
	after := saved(2)
	if p.agreed != "serial:D1" {
		t.Fatalf("the consent is %q", p.agreed)
	}

	for _, c := range []struct {
		name, file, erase string
		status            int
	}{{"before anybody agreed", before, "", 3}, {"at the end", after, "serial:D1", 0}} {
		again := newBench(t)
		again.second = c.file
		in, _, _, err := h.c.input(&run{ctx: t.Context(), env: again, out: h.r.out, errw: h.r.errw, root: again.scratch, now: again.now}, h.v.sink)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if in.Answers.Confirm.Erase != c.erase {
			t.Errorf("%s: the consent is %q, want %q", c.name, in.Answers.Confirm.Erase, c.erase)
		}
		in.Answers.Confirm = spec.Confirm{} // it goes to the node with the answers, which makes another plan
		made, err := plan.Make(in)
		if err != nil || made.ID != p.plan.ID {
			t.Errorf("%s: have plan %s (%v), want that of the screens, %s", c.name, made.ID, err, p.plan.ID)
		}
		if !reflect.DeepEqual(in.Answers, p.asked) {
			t.Errorf("%s: have answers\n%+v, want those of the screens\n%+v", c.name, in.Answers, p.asked)
		}
		status, out, errs := again.run("install", "--unattended", "--medium", h.c.Medium)
		if status != c.status || (again.left == "poweroff") != (c.status == 0) || (len(again.sys.Calls) > 0) != (c.status == 0) {
			t.Errorf("%s: status %d, left by %q, %d calls\n%s%s", c.name, status, again.left, len(again.sys.Calls), out, errs)
		}
	}
}
