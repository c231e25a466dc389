package tui

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/spec"
)

// TestGivenAnswers: what was answered beforehand is not asked again, and the
// first thing that is open is where a person begins.
func TestGivenAnswers(t *testing.T) {
	for _, c := range []struct {
		name, given, serial string
		at                  step
		open                Field // the field that has an error
		want                spec.Answers
	}{
		{"all of it", whole, "", review, "", spec.Answers{Name: "edge7", Role: spec.ControlPlane, Disk: spec.Disk{Serial: "S4EWNX0N"},
			Network: spec.NodeNetwork{Interface: "eno1", Address: "10.20.0.37/24", DNS: []string{"10.20.0.1"}}, Time: spec.Time{NTP: []string{"10.20.0.1"}}, After: "poweroff",
			Users: []spec.User{{Name: "ops", SSHKeys: []string{sshKey}, Admin: true}, {Name: "audit", SSHKeys: []string{sshKey}}}}},
		{"an entry of the roster", "node: node1", "", review, "", spec.Answers{Node: "node1", Name: "node1", Role: spec.ControlPlane,
			Network: spec.NodeNetwork{Interface: "none", Address: "10.20.0.11/24"}, After: "reboot"}},
		{"over an entry", "node: node1; name: box1; role: worker; disk: {choose: smallest}; network: {address: 10.20.0.99/24}", "", review, "",
			spec.Answers{Node: "node1", Name: "box1", Role: spec.Worker, Disk: spec.Disk{Choose: "smallest"},
				Network: spec.NodeNetwork{Interface: "none", Address: "10.20.0.99/24"}, After: "reboot"}},
		{"over the entry that matches", "network: {address: 10.20.0.99/24}", "SN-2", review, "", spec.Answers{Node: "node2", Name: "node2", Role: spec.ControlPlane,
			Network: spec.NodeNetwork{Interface: "none", Address: "10.20.0.99/24"}, After: "reboot"}},
		{"another name than the entry that matches", "name: edge7; role: worker; network: {interface: none, address: 10.20.0.37/24}", "SN-2", review, "",
			spec.Answers{Name: "edge7", Role: spec.Worker, Disk: spec.Disk{Serial: "S4EWNX0N"}, Network: spec.NodeNetwork{Interface: "none", Address: "10.20.0.37/24"}, After: "reboot"}},
		{"a card without an address has DHCP", "name: edge7; role: worker; network: {interface: eno1}", "", review, "",
			spec.Answers{Name: "edge7", Role: spec.Worker, Disk: spec.Disk{Serial: "S4EWNX0N"}, Network: spec.NodeNetwork{Interface: "eno1"}, After: "reboot"}},
		{"no word of the network", "name: edge7; role: worker", "", networkPage, FieldAddress, spec.Answers{}},
		{"no role", "name: edge7; network: {interface: none, address: 10.20.0.37/24}", "", rolePage, FieldRole, spec.Answers{}},
		{"another node's address", "name: edge7; role: worker; network: {interface: none, address: 10.20.0.11/24}", "", networkPage, FieldAddress, spec.Answers{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := rugged(t)
			m.Serial = c.serial
			s := enact(t, m, installtest.Spec)
			s.do(t, "given "+c.given, "keys enter")
			a, wrong := s.w.draft.Answers(s.facts)
			if s.w.step != c.at || c.open == "" != (len(wrong) == 0) || c.open != "" && len(wrong[c.open]) == 0 {
				t.Fatalf("at step %d with %v, want step %d and an error at %q", s.w.step, wrong, c.at, c.open)
			}
			if c.want.APIVersion, c.want.Kind = spec.APIVersion, spec.KindAnswers; c.open == "" {
				if diff := cmp.Diff(c.want, a, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("-want +have\n%s", diff)
				}
			}
		})
	}
}

// TestConsentAheadIsNone: answers that were found never agree for the person.
func TestConsentAheadIsNone(t *testing.T) {
	s := shot(t, []string{"given confirm: {erase: any}; " + whole, "keys enter"})
	if a := s.w.answers(); s.w.step != review || a.Confirm.Erase != "" {
		t.Errorf("at step %d with consent %q, want the review and none", s.w.step, a.Confirm.Erase)
	}
}

// TestGivenUsers: one that is typed replaces the one of the same name, no other.
func TestGivenUsers(t *testing.T) {
	s := shot(t, []string{"given " + whole, "keys enter"})
	a, wrong := s.w.draft.with(FieldUser, "audit").with(FieldKey, sshKey).Answers(s.facts)
	if len(wrong) > 0 || len(a.Users) != 2 || a.Users[0].Name != "ops" || a.Users[1].Name != "audit" || !a.Users[1].Admin {
		t.Errorf("have %+v, %v", a.Users, wrong)
	}
	if got := s.facts.Answers.Users[1]; got.Name != "audit" || got.Admin {
		t.Errorf("the facts were changed: %+v", got)
	}
}

// TestOtherNodeThanGiven: answers for one node say nothing of an entry that the
// person takes instead, and answers for no node in particular do.
func TestOtherNodeThanGiven(t *testing.T) {
	s := shot(t, []string{"given " + whole, "keys enter"})
	a, _ := s.w.draft.of(rosterWord+"node1", s.facts).Answers(s.facts)
	if a.Name != "node1" || a.Network.Address != "10.20.0.11/24" || a.Disk != (spec.Disk{}) || len(a.Users) != 2 {
		t.Errorf("have %+v", a)
	}
	s = shot(t, []string{"given disk: {serial: S4EWNX0N}; network: {address: 10.20.0.99/24}", "keys enter"})
	a, _ = s.w.draft.of(rosterWord+"node1", s.facts).Answers(s.facts)
	if a.Name != "node1" || a.Network.Address != "10.20.0.99/24" || a.Disk.Serial != "S4EWNX0N" {
		t.Errorf("have %+v", a)
	}
}

// TestBadAnswersNeedAChoice: no way leads past them but the one that says so.
func TestBadAnswersNeedAChoice(t *testing.T) {
	s := shot(t, []string{"given disc: {serial: S1}", "keys enter"})
	text := s.w.View(Canvas{Width: 100, Height: 40}).Text()
	if s.w.step != medium || !strings.Contains(text, "ANSWERS-UNKNOWN-FIELD") || !strings.Contains(text, "CAISSON") {
		t.Fatalf("at step %d:\n%s", s.w.step, text)
	}
	s.do(t, "keys esc")
	s.send(Press{"onward"})
	if s.w.step != medium {
		t.Fatalf("at step %d, want the answers again", s.w.step)
	}
	s.send(Press{"without"})
	if s.w.step != machinePage || s.w.draft.from != "" {
		t.Fatalf("at step %d with answers from %q", s.w.step, s.w.draft.from)
	}
	s.do(t, "keys esc")
	s.send(Press{"onward"})
	if s.w.step != machinePage {
		t.Errorf("at step %d: the choice was forgotten", s.w.step)
	}
}

// TestAnswersThatComeLater: a stick that was plugged in before a second check
// counts, and what it says nothing of stays as it was typed.
func TestAnswersThatComeLater(t *testing.T) {
	s := shot(t, then(toName, "type edge1", "keys esc esc esc esc esc"))
	s.do(t, "given role: worker; disk: {serial: S4EWNX0N}; time: {ntp: [10.20.0.9]}")
	s.send(Press{"check"})
	a, wrong := s.w.draft.Answers(s.facts)
	if s.w.step != review || len(wrong) > 0 || a.Name != "edge1" || a.Network.Address != "10.20.0.31/24" || a.Role != spec.Worker || len(a.Time.NTP) != 1 {
		t.Errorf("at step %d with %+v, %v", s.w.step, a, wrong)
	}
	s.facts.Answers, s.facts.AnswersFrom = spec.Answers{}, "" // pulled out: what it said was taken
	s.do(t, "keys esc esc esc esc esc esc esc esc")
	s.send(Press{"check"})
	if a, _ := s.w.draft.Answers(s.facts); a.Role != spec.Worker || s.w.draft.from == "" {
		t.Errorf("without the stick: %+v", a)
	}
}

// TestRolesOfTheMedium: what its profile has no row for is said and not offered,
// and answers that name it are stopped at the question.
func TestRolesOfTheMedium(t *testing.T) {
	s := shot(t, nil)
	delete(s.facts.Needs, spec.Worker)
	s.facts.Enclave.Kubernetes.Profile = spec.ProfileK3s
	s.do(t, toRole...)
	p := s.w.page()
	var offered, absent []string
	for _, o := range p.fields[0].options {
		offered = append(offered, o.label)
	}
	for _, l := range p.foot {
		name, _, _ := strings.Cut(flat(l.spans), ":")
		absent = append(absent, name)
	}
	if have := strings.Join(offered, ", "); have != "rugged edge, node1, node2" {
		t.Errorf("offers %s", have)
	}
	if have := strings.Join(absent, ", "); have != "Join a control-plane, Worker" {
		t.Errorf("says that it lacks %s", have)
	}
	s.do(t, "given name: edge7; role: worker; network: {interface: none, address: 10.20.0.37/24}")
	s.w, _ = s.w.checkMedium()
	s.send(MediumOK{s.facts})
	if wrong := s.w.errors()[FieldRole]; s.w.step != rolePage || len(wrong) != 1 || !spec.AnswersValue.Is(wrong[0]) {
		t.Errorf("at step %d with %v, want the role refused", s.w.step, wrong)
	}
}
