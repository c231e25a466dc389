package tui

import (
	"strings"
	"testing"

	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/spec"
)

// TestDoneSaysWhatIsTrue: what a person does next, and what the node becomes, by
// role, profile and what happens after the install.
func TestDoneSaysWhatIsTrue(t *testing.T) {
	first := &spec.Node{Name: "node1", Role: spec.ControlPlane, Network: spec.NodeNetwork{Address: "10.20.0.11/24"}}
	joining := map[string]Place{spec.ControlPlane: {Joins: first}, spec.Worker: {Joins: first}}
	alone := "It is Ready some minutes later."
	joins := "It joins node1 by itself: once that is Ready, this is some minutes later."
	address := map[string]string{"node: node1": "10.20.0.11", "node: node2": "10.20.0.12", "name: w1": "10.20.0.13"}
	for name, x := range map[string]struct {
		given  string
		places map[string]Place
		next   string
		ready  string
	}{
		"kubeadm control-plane":    {"node: node1; after: reboot", nil, "Take the medium out, then restart.", alone},
		"kubeadm worker":           {"name: w1; role: worker; after: reboot", nil, "Take the medium out, then restart.", "It is not Ready before it is joined by hand: no worker of this profile joins by itself."},
		"worker that joins":        {"name: w1; role: worker; after: poweroff", joining, "Take the medium out, power off, move the machine to its place, power on.", joins},
		"control-plane that joins": {"node: node2; after: stay", joining, "Take the medium out. Restart or power off when you like: at its next start the node comes up from its disk.", joins},
		"first of several":         {"node: node1; after: stay", joining, "Take the medium out. Restart or power off when you like: at its next start the node comes up from its disk.", alone},
	} {
		t.Run(name, func(t *testing.T) {
			s := enact(t, installtest.Machine(), installtest.Spec)
			s.facts.Places = x.places
			who, _, _ := strings.Cut(x.given, ";")
			s.do(t, "given network: {interface: none, address: "+address[who]+"/24}; disk: {serial: D1}; "+x.given, "keys enter")
			if s.w.plan == nil {
				t.Fatalf("no plan at step %d: %v", s.w.step, s.w.planErr)
			}
			s.w.step, s.w.result = done, &Result{}
			var got []string
			for _, l := range s.w.page().lines {
				got = append(got, flat(l.spans))
			}
			text := strings.Join(got, "\n")
			for _, want := range []string{"2. " + x.next, "3. " + x.ready, "Release       " + s.facts.Release, "Manifest      " + grouped(string(s.facts.Manifest))} {
				if !strings.Contains(text+"\n", want+"\n") {
					t.Errorf("have no %q in\n%s", want, text)
				}
			}
		})
	}
}

// TestSquareInASCII: a module is two characters wide and one row high, and says the
// same as the square of blocks; it is drawn where it has room.
func TestSquareInASCII(t *testing.T) {
	const text = "SHA256:00FF"
	blocks, ascii := square(text, false), square(text, true)
	for y, l := range ascii {
		row := flat(l.spans)
		if len(row) != 2*len(ascii) || strings.Trim(row, "# ") != "" {
			t.Fatalf("row %d is %q in a square of %d", y, row, len(ascii))
		}
		for x, r := range []rune(flat(blocks[y/2].spans)) {
			light := r == '█' || y%2 == 0 && r == '▀' || y%2 == 1 && r == '▄'
			if got := row[2*x : 2*x+2]; got != box(light, "##", "  ") {
				t.Fatalf("module %d of row %d is %q, light %v", x, y, got, light)
			}
		}
	}
	s := shot(t, toInstall)
	for c, want := range map[Canvas]bool{
		{Width: 120, Height: 40, ASCII: true}: true, {Width: 120, Height: 38, ASCII: true}: false, {Width: 100, Height: 40, ASCII: true}: false,
		{Width: 80, Height: 24, ASCII: true}: false, {Width: 80, Height: 24}: true, {Width: 80, Height: 24, Large: true}: true, {Width: 80, Height: 22}: false,
	} {
		if got := len(s.w.layout(c).side) > 0; got != want {
			t.Errorf("%+v: a square is drawn: %v, want %v", c, got, want)
		}
	}
}
