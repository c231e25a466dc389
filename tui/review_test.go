package tui

import (
	"strings"
	"testing"

	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/spec"
)

// TestReviewIsReadToItsEnd: Enter pages down until the end was shown, on every
// size of screen, says so, and only then asks for consent. What else can be done
// there is not held up.
func TestReviewIsReadToItsEnd(t *testing.T) {
	for _, c := range []Canvas{{Width: 80, Height: 24}, {Width: 80, Height: 24, Large: true}, {Width: leastWidth, Height: leastHeight}} {
		s := shot(t, toReview)
		s.send(Resized{c.Width, c.Height, c.Large})
		var read strings.Builder
		pages := 0
		for ; s.w.scroll < s.w.layout(s.w.size).most; pages++ {
			text := s.w.View(c).Text()
			read.WriteString(text)
			if !strings.Contains(text, "Enter: read on") {
				t.Fatalf("%v: the keys line does not say that Enter reads on:\n%s", c, text)
			}
			if s.do(t, "keys enter"); s.w.step != review {
				t.Fatalf("%v: Enter led to step %d before the end was shown", c, s.w.step)
			}
			if pages > 200 {
				t.Fatal("Enter leads nowhere")
			}
		}
		text := s.w.View(c).Text()
		read.WriteString(text)
		if pages == 0 || !strings.Contains(text, "Enter: do it") || strings.Contains(text, "more below") {
			t.Errorf("%v: after %d pages:\n%s", c, pages, text)
		}
		for _, l := range s.w.layout(c).text {
			if row := strings.TrimSpace(flat(l)); !strings.Contains(read.String(), row) {
				t.Errorf("%v: %q was never on the screen", c, row)
			}
		}
		if s.do(t, "keys enter"); s.w.step != confirm {
			t.Errorf("%v: after the end Enter led to step %d, want consent", c, s.w.step)
		}
	}
	s := shot(t, then(toReview, "keys tab enter"))
	if s.w.said == "" {
		t.Error("the answers cannot be saved before the end was shown")
	}
}

// TestReviewShowsWhatIsConfigured: the plan holds the configuration by its digest;
// what a person would have to correct stands on the screen.
func TestReviewShowsWhatIsConfigured(t *testing.T) {
	roster := strings.Replace(installtest.Spec, "{interface: none, address: 10.20.0.12/24}",
		"{bond: {interfaces: [ens1, ens2]}, address: 10.20.0.12/24, gateway: 10.20.0.1, vlan: 30, mtu: 9000}", 1) +
		"network: {dns: [10.20.0.2, 10.20.0.3]}\ntime: {ntp: [10.20.0.4]}\nusers: [{name: ops, admin: true, sshKeys: [\"" + sshKey + "\"]}]\n"
	for name, x := range map[string]struct {
		text string
		way  []string
		want []string
	}{
		"roster": {roster, []string{"keys enter"}, []string{"Node          node2, control-plane", "Kubernetes    kubeadm v1.37.2",
			"Address       10.20.0.12/24", "Gateway       10.20.0.1", "Card          bond of ens1 and ens2 (active-backup), VLAN 30, MTU 9000",
			"DNS           10.20.0.2 10.20.0.3", "Time servers  10.20.0.4", "Accounts      ops: may act as root, 1 key"}},
		"typed by nobody": {installtest.Spec, []string{"keys enter"}, []string{"Address       10.20.0.12/24", "Gateway       none", "Card          none: the node stands alone",
			"DNS           none", "Time servers  none: the node keeps its own clock", "Accounts      [!]  none: nobody can log in to the node"}},
		"DHCP": {installtest.Spec, []string{"given name: edge7; role: worker; network: {interface: eth0}; users: [{name: ops, sshKeys: [\"" + sshKey + "\"]}]", "keys enter"},
			[]string{"Node          edge7, worker", "Address       by DHCP", "Gateway       by DHCP", "Card          eth0, untagged, MTU the card's own", "Accounts      ops: may log in, 1 key"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := installtest.Machine()
			m.Serial = "SN-2"
			s := enact(t, m, x.text)
			s.do(t, x.way...)
			if s.w.step != review {
				t.Fatalf("at step %d, want the review", s.w.step)
			}
			var got []string
			for _, l := range s.w.configured() {
				got = append(got, flat(l.spans))
			}
			for _, want := range x.want {
				if !strings.Contains("\n"+strings.Join(got, "\n")+"\n", "\n"+want+"\n") {
					t.Errorf("the review does not say %q:\n%s", want, strings.Join(got, "\n"))
				}
			}
		})
	}
}

// TestReviewSaysWhatIsJoined: by the profile's word, and not of the joined one itself.
func TestReviewSaysWhatIsJoined(t *testing.T) {
	first := &spec.Node{Name: "node1", Role: spec.ControlPlane, Network: spec.NodeNetwork{Address: "10.20.0.11/24"}}
	for name, want := range map[string]string{"node1": "", "node2": "Joins         node1 at 10.20.0.11"} {
		s := enact(t, installtest.Machine(), installtest.Spec)
		s.facts.Places = map[string]Place{spec.ControlPlane: {Joins: first}}
		s.do(t, "given node: "+name, "keys enter")
		got := ""
		for _, l := range s.w.configured() {
			if text := flat(l.spans); strings.HasPrefix(text, "Joins") {
				got = text
			}
		}
		if s.w.step != review || got != want {
			t.Errorf("%s at step %d: %q, want %q", name, s.w.step, got, want)
		}
	}
}
