package tui

import (
	"reflect"
	"strings"
	"testing"

	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/spec"
)

// TestChangedMedium: what was checked must be what the first screen showed.
func TestChangedMedium(t *testing.T) {
	s := shot(t, nil)
	s.facts.Manifest = digest.Of([]byte("another"))
	s.do(t, "keys enter enter enter")
	if !Changed.Is(s.w.checked) || s.w.facts != nil || s.w.step != medium {
		t.Errorf("at step %d with %v, want MEDIUM-CHANGED and no way on", s.w.step, s.w.checked)
	}
}

// TestCheckAgain: a medium that was good and is bad now leads nowhere, and what
// was typed is there once it is good again.
func TestCheckAgain(t *testing.T) {
	s := shot(t, then(toName, "type edge1", "keys esc esc esc esc esc", "hold verify", "keys down enter", "bad-medium"))
	if s.w.step != medium || s.w.facts != nil {
		t.Fatalf("at step %d, facts %v", s.w.step, s.w.facts)
	}
	s.do(t, "keys esc enter esc")
	s.send(MediumOK{s.facts})
	if got := s.w.draft.get(FieldName); got != "edge1" {
		t.Errorf("the name is %q, want what was typed", got)
	}
}

// TestConsent: only the last characters of this disk's number agree, in any case.
func TestConsent(t *testing.T) {
	for typed, want := range map[string]bool{"nx0n": true, "NX0N": true, " Nx0n ": true, "": false, "nx0": false, "S4EWNX0N": false, "0016": false, "nx0nn": false} {
		s := shot(t, toConfirm)
		s.send(Fill{FieldTyped, typed})
		if err := s.w.typedError(); Mistyped.Is(err) == want {
			t.Errorf("%q: %v", typed, err)
		}
		s.send(Press{"install"})
		_, installs := s.effects[len(s.effects)-1].(Install)
		if installs != want || (s.w.step >= progress) != want {
			t.Errorf("%q: installs is %v at step %d, want %v", typed, installs, s.w.step, want)
		}
	}
}

func TestConsentFor(t *testing.T) {
	for _, c := range []struct {
		disk plan.Target
		want consent
	}{
		{plan.Target{Serial: "D1"}, consent{"D1", "serial number", "D1", "serial:D1"}},
		{plan.Target{Serial: "WD-WX12", IDs: []string{"ata-x"}}, consent{"WX12", "serial number", "WD-WX12", "serial:WD-WX12"}},
		{plan.Target{Serial: "\x01\x02é", IDs: []string{"wwn-0x5000"}}, consent{"5000", "by-id name", "wwn-0x5000", "by-id:wwn-0x5000"}},
		{plan.Target{Path: "/dev/vda"}, consent{"/vda", "path", "/dev/vda", "any"}},
	} {
		if got := consentFor(c.disk); got != c.want {
			t.Errorf("consentFor(%+v) = %+v, want %+v", c.disk, got, c.want)
		}
	}
}

// TestAnswersOfTheRoster: what the person leaves alone stays the entry's; what
// is taken away is not filled in again.
func TestAnswersOfTheRoster(t *testing.T) {
	s := enact(t, installtest.Machine(), strings.Replace(installtest.Spec, "interface: none, address: 10.20.0.12/24", "interface: eth0, address: 10.20.0.12/24, gateway: 10.20.0.1", 1))
	s.facts.Node = "node2"
	d := Draft{}.begin(s.facts)
	a, wrong := d.Answers(s.facts)
	if len(wrong) > 0 || a.Node != "node2" || a.Name != "node2" || a.Network.Gateway != "10.20.0.1" {
		t.Errorf("as it is: %+v, %v", a, wrong)
	}
	a, wrong = d.with(FieldGateway, "").Answers(s.facts)
	if len(wrong) > 0 || !reflect.DeepEqual(a.Network, spec.NodeNetwork{Interface: "eth0", Address: "10.20.0.12/24"}) {
		t.Errorf("without the gateway: %+v, %v", a, wrong)
	}
	a, wrong = d.with(FieldMode, dhcp).Answers(s.facts)
	if len(wrong) > 0 || a.Node != "" || !reflect.DeepEqual(a.Network, spec.NodeNetwork{Interface: "eth0"}) {
		t.Errorf("by DHCP: %+v, %v", a, wrong)
	}
	a, _ = d.with(FieldUser, "ops").with(FieldKey, sshKey).Answers(s.facts)
	if want := []spec.User{{Name: "ops", SSHKeys: []string{sshKey}, Admin: true}}; !reflect.DeepEqual(a.Users, want) {
		t.Errorf("users are %+v, want %+v", a.Users, want)
	}
}

// TestBondOfTheRoster: a bond, a VLAN and resolvers of the entry come through.
func TestBondOfTheRoster(t *testing.T) {
	s := enact(t, rugged(t), strings.Replace(installtest.Spec, "interface: none, address: 10.20.0.12/24",
		"bond: {interfaces: [eno1, eno2], mode: 802.3ad}, vlan: 7, mtu: 9000, dns: [10.20.0.1], address: 10.20.0.12/24", 1))
	s.facts.Node = "node2"
	d := Draft{}.begin(s.facts)
	want := spec.NodeNetwork{Bond: spec.Bond{Interfaces: []string{"eno1", "eno2"}, Mode: "802.3ad"}, VLAN: 7, MTU: 9000, DNS: []string{"10.20.0.1"}, Address: "10.20.0.12/24"}
	if a, wrong := d.Answers(s.facts); len(wrong) > 0 || a.Node != "node2" || !reflect.DeepEqual(a.Network, want) {
		t.Errorf("%+v, %v", a, wrong)
	}
	want.VLAN = 0
	a, wrong := d.with(FieldVLAN, "").with(FieldNTP, "10.20.0.1 ntp.x").Answers(s.facts)
	if len(wrong) > 0 || a.Node != "" || !reflect.DeepEqual(a.Network, want) || !reflect.DeepEqual(a.Time.NTP, []string{"10.20.0.1", "ntp.x"}) {
		t.Errorf("without the VLAN: %+v, %v", a, wrong)
	}
}

// TestErrorsByField: every mistake is at the field where it is mended.
func TestErrorsByField(t *testing.T) {
	s := shot(t, toConfirm)
	for _, c := range []struct {
		at          Field
		value, code string
	}{
		{FieldName, "Node_1", "ANSWERS-VALUE"}, {FieldName, "", "ANSWERS-INCOMPLETE"}, {FieldName, "node1", ""},
		{FieldAddress, "10.20.0.31", "ANSWERS-VALUE"}, {FieldAddress, "10.20.0.11/24", "ANSWERS-CONFLICT"}, {FieldAddress, "", "ANSWERS-INCOMPLETE"},
		{FieldVLAN, "x", "ANSWERS-VALUE"}, {FieldVLAN, "4095", "ANSWERS-VALUE"}, {FieldVLAN, "42", ""}, {FieldMTU, "1", "ANSWERS-VALUE"}, {FieldMTU, "0", "ANSWERS-VALUE"},
		{FieldInterface, bonded, ""}, {FieldNTP, "10.20.0.1, a b", ""}, {FieldNTP, "a_b", "ANSWERS-VALUE"},
		{FieldGateway, "10.99.0.1", "ANSWERS-CONFLICT"}, {FieldUser, "root", "ANSWERS-VALUE"}, {FieldKey, "", ""}, {FieldKey, "x", "ANSWERS-VALUE"},
		{FieldDisk, "", "ANSWERS-INCOMPLETE"}, {FieldDisk, "/dev/disk/by-id/ata-Old_16", "ANSWERS-VALUE"}, {FieldRole, "", "ANSWERS-INCOMPLETE"},
	} {
		_, wrong := s.w.draft.with(c.at, c.value).Answers(s.facts)
		got := ""
		if len(wrong[c.at]) > 0 {
			got, _, _ = strings.Cut(wrong[c.at][0].Error(), ":")
		}
		if got != c.code || len(wrong[""]) > 0 {
			t.Errorf("%s %q: %q and %v, want %q", c.at, c.value, got, wrong, c.code)
		}
	}
}

// TestSmallMachine: a role that the machine is too small for is not taken.
func TestSmallMachine(t *testing.T) {
	m := rugged(t)
	m.CPUs, m.Memory = 1, 3*size.GiB
	s := enact(t, m, installtest.Spec)
	s.do(t, "keys enter enter enter enter")
	if !Refused.Is(s.w.failed) || s.w.step != rolePage {
		t.Errorf("at step %d with %v", s.w.step, s.w.failed)
	}
	s.do(t, "keys down enter")
	if s.w.step != diskPage || s.w.draft.get(FieldRole) != spec.Worker {
		t.Errorf("at step %d as %q, want a worker's disk", s.w.step, s.w.draft.get(FieldRole))
	}
}

// TestClockFaults names the codes of the time screen.
func TestClockFaults(t *testing.T) {
	s := shot(t, toTime)
	for typed, want := range map[string]func(error) bool{"noon": ClockForm.Is, "2001-01-01 00:00": ClockWild.Is} {
		s.send(Fill{FieldClock, typed})
		s.send(Press{"set"})
		if !want(s.w.failed) {
			t.Errorf("%q: %v", typed, s.w.failed)
		}
	}
}

// TestEntryChosenByHand: a node of the roster that no serial number tells is
// chosen where the role is, and all else is filled in; a role takes that back.
func TestEntryChosenByHand(t *testing.T) {
	s := enact(t, installtest.Machine(), installtest.Spec)
	s.do(t, toRole...)
	s.do(t, "keys down down enter")
	if a, wrong := s.w.draft.Answers(s.facts); s.w.step != review || a.Node != "node1" || a.Network.Address != "10.20.0.11/24" || len(wrong) > 0 {
		t.Fatalf("at step %d with %+v, %v", s.w.step, a, wrong)
	}
	s.w = s.w.goTo(rolePage).fill(FieldRole, spec.Worker)
	if a, wrong := s.w.draft.Answers(s.facts); a.Node != "" || a.Role != spec.Worker || a.Name != "" || len(wrong[FieldAddress]) == 0 {
		t.Errorf("have %+v, %v, want a worker with nothing of node1", a, wrong)
	}
}
