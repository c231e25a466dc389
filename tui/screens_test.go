package tui

import (
	"slices"
	"strings"
	"testing"

	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/internal/golden"
)

const sshKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f ops@field"

// whole is an answer file that leaves nothing open but consent.
const whole = "name: edge7; role: control-plane; disk: {serial: S4EWNX0N}; network: {interface: eno1, address: 10.20.0.37/24, dns: [10.20.0.1]}; time: {ntp: [10.20.0.1]}; users: [{name: ops, sshKeys: [\"" +
	sshKey + "\"], admin: true}, {name: audit, sshKeys: [\"" + sshKey + "\"]}]; after: poweroff"

// The way to each screen, from one to the next.
var (
	toMachine = []string{"keys enter enter"}
	toRole    = then(toMachine, "keys enter")
	toDisk    = then(toRole, "keys enter")
	toNetwork = then(toDisk, "keys enter")
	toName    = then(toNetwork, "keys enter enter", "type 10.20.0.31/24", "keys enter enter enter enter enter")
	toTime    = then(toName, "type edge1", "keys enter enter enter")
	toUsers   = then(toTime, "keys tab tab tab enter")
	toReview  = then(toUsers, "type ops", "keys enter", "type "+sshKey, "keys enter enter enter")
	toHash    = then(toUsers, "type ops", "keys enter enter", "type "+word, "keys enter", "type "+word, "keys enter enter")
	toConfirm = then(toReview, "keys pgdn pgdn pgdn pgdn pgdn pgdn enter")
	toInstall = then(toConfirm, "type nx0n", "keys enter enter")
	ofRoster  = []string{"serial SN-2", "keys enter"}
)

// shots are the screens that a person can meet, each with the way to it.
var shots = []struct {
	name string
	way  []string
}{
	{"01-welcome", nil},
	{"02-medium", []string{"hold verify", "keys enter", "progress"}},
	{"02-medium-ok", []string{"keys enter"}},
	{"02-answers-bad", []string{"given disc: {serial: S1}; role: boss", "keys enter"}},
	{"02-medium-bad", []string{"hold verify", "keys enter", "bad-medium"}},
	{"03-machine", toMachine},
	{"03-machine-bad", slices.Concat([]string{"bad-firmware", "tick 2001-01-01T00:00:00Z"}, toMachine)},
	{"04-role", toRole},
	{"04-role-end", then(toRole, "keys down down down")},
	{"05-disk", toDisk},
	{"05-disk-refused", then(toDisk, "keys down enter")},
	{"06-network", toNetwork},
	{"06-network-wrong", then(toNetwork, "keys enter enter", "type 10.20.0.0/24", "keys enter", "type 10.30.0.1", "keys enter", "type 4095", "keys enter enter enter")},
	{"06-network-bond", then(toNetwork, "keys down down enter down down enter")},
	{"06-network-unplugged", then(toNetwork, "keys enter enter", "type 10.20.0.31/24", "cable eno1 out")},
	{"06-network-asking", slices.Concat([]string{"hold address"}, toName)},
	{"06-network-taken", slices.Concat([]string{"taken 10.20.0.31"}, toName)},
	{"07-name", toName},
	{"08-time", toTime},
	{"08-time-wrong", slices.Concat([]string{"tick 2001-01-01T00:00:00Z"}, toTime, []string{"keys enter enter enter"})},
	{"09-users", toUsers},
	{"09-users-wrong", then(toUsers, "type Ops", "keys enter", "type ssh-rsa AAAA", "keys enter enter enter")},
	{"09-users-password", then(toUsers, "type ops", "keys enter enter", "type "+word, "keys enter", "type "+word)},
	{"09-users-password-wrong", then(toUsers, "type ops", "keys enter enter", "type "+word, "keys enter", "type "+word+"x", "keys enter enter")},
	{"09-users-password-short", then(toUsers, "type ops", "keys enter enter", "type swordfi", "keys enter enter enter")},
	{"09-users-password-hashing", slices.Concat([]string{"hold hash"}, toHash)},
	{"09-users-password-failed", slices.Concat([]string{"hold salt"}, toHash)},
	{"09-users-password-set", then(toHash, "keys esc")},
	{"09-users-keys", then(toUsers, "type ops", "keys enter enter enter down enter", "keys enter tab enter")},
	{"09-users-keys-none", slices.Concat([]string{"hold stick"}, toUsers, []string{"keys tab tab tab enter"})},
	{"10-review", toReview},
	{"10-review-end", then(toReview, "keys pgdn pgdn pgdn pgdn pgdn pgdn")},
	{"09-users-given", []string{"given " + whole, "keys enter esc"}},
	{"10-review-given", []string{"given " + whole, "keys enter"}},
	{"10-review-without", slices.Concat([]string{"given nothing: here", "keys enter tab enter"}, toReview[1:])},
	{"10-review-unplugged", then(toReview, "cable eno1 out")},
	{"10-review-bad", slices.Concat([]string{"bad-firmware"}, toReview)},
	{"10-medium-gone", then(toReview, "pull")},
	{"11-confirm", toConfirm},
	{"11-confirm-wrong", then(toConfirm, "type 1234", "keys enter enter")},
	{"12-progress", slices.Concat([]string{"hold install"}, toInstall)},
	{"12-log", slices.Concat([]string{"hold install"}, toInstall, []string{"keys enter"})},
	{"12-stopped", slices.Concat([]string{"bad-install"}, toInstall)},
	{"13-done", toInstall},
	{"roster-review", ofRoster},
	{"roster-disk", then(ofRoster, "keys esc esc esc esc esc")},
	{"help", then(toDisk, "keys help")},
	{"help-bundle", then(toDisk, "keys help pgdn pgdn down enter")},
}

// then is a way and what follows it.
func then(way []string, more ...string) []string { return slices.Concat(way, more) }

func shot(t testing.TB, way []string) *stage {
	t.Helper()
	s := enact(t, rugged(t), installtest.Spec)
	s.do(t, way...)
	return s
}

// TestScreens holds every screen, on every kind of canvas, to what was reviewed.
func TestScreens(t *testing.T) {
	for _, x := range shots {
		holdTexts(t, "screens", x.name, shot(t, x.way).w.View, canvases...)
	}
}

// TestRosterGoesToReview: a machine that the roster knows is asked nothing.
func TestRosterGoesToReview(t *testing.T) {
	if s := shot(t, ofRoster); s.w.step != review || s.w.plan == nil {
		t.Fatalf("at step %d with plan %v, want the review", s.w.step, s.w.plan)
	}
}

// TestTinyWindow: whatever the size, the banner is there and nothing breaks.
func TestTinyWindow(t *testing.T) {
	s := shot(t, toDisk)
	golden.Equal(t, "screens/tiny.txt", []byte(plainText(s.w.View(Canvas{Width: 40, Height: 8}).ANSI("orange"), 40, 8)))
	for w := 0; w < 70; w += 3 {
		for h := range 20 {
			if got := s.w.View(Canvas{Width: w, Height: h}); len(got.Rows) != max(1, h) {
				t.Errorf("%dx%d: %d rows", w, h, len(got.Rows))
			}
		}
	}
}

// TestSmallestScreen: where there is least room, the row that keys act on, an
// error and the way on are still in sight.
func TestSmallestScreen(t *testing.T) {
	for _, x := range shots {
		s := shot(t, x.way)
		s.send(Resized{Width: leastWidth, Height: leastHeight})
		got := s.w.View(Canvas{Width: leastWidth, Height: leastHeight}).Text()
		if len(s.w.page().fields) > 0 && !strings.Contains(got, "> ") {
			t.Errorf("%s: nothing has the keys:\n%s", x.name, got)
		}
		holdTexts(t, "screens", x.name, s.w.View, smallest)
	}
}

// TestHostileHardware: what a disk says of itself reaches no terminal as it is.
func TestHostileHardware(t *testing.T) {
	m := rugged(t)
	m.Disks[0].Model = "Evil\x1b[2J\u202e\u0301名"
	m.NICs = append(m.NICs, machine.NIC{Name: "e\x07", MAC: "\n"})
	s := enact(t, m, installtest.Spec)
	s.do(t, toNetwork...)
	for range 3 {
		if got := s.w.View(Canvas{Width: 80, Height: 24}).Text(); strings.ContainsAny(got, "\x1b\x07\u202e\u0301名") {
			t.Errorf("the screen holds it:\n%q", got)
		}
		s.do(t, "keys esc")
	}
}
