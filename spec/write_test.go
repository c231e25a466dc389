package spec

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"caisson.dev/caisson/internal/size"
)

// TestWriteAnswers: what is written is read back as it was.
func TestWriteAnswers(t *testing.T) {
	for _, a := range []Answers{
		{Node: "node1"},
		{Name: "node7", Role: Worker, Disk: Disk{Serial: "0123", MinSize: 64 * size.GiB}, After: "poweroff",
			Network: NodeNetwork{Interface: "eno1", Address: "10.20.0.17/24", Gateway: "10.20.0.1", VLAN: 7, MTU: 9000},
			Users:   []User{{Name: "ops", Admin: true, PasswordHash: "$6$abcdefgh$D7W7qyozKBT.t6FD3DVYHvADbIO0eSyI4.p20LaEUjro8PqTGYYo/EQcuNjhFbzo9Yg5ir1KIEqFY/yJpgFph0", SSHKeys: []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHzj2RZ8fZIo2m3jiQO5qxYt8A78LrTWm4sFfoU58Xc2 a: b #c"}}},
			Confirm: Confirm{Erase: "serial:0123"}},
	} {
		a.APIVersion, a.Kind = APIVersion, KindAnswers
		raw, err := WriteAnswers(a)
		if err != nil {
			t.Errorf("%+v: %v", a, err)
			continue
		}
		back, err := ParseAnswers(raw)
		if err != nil {
			t.Errorf("%v in\n%s", err, raw)
		}
		if diff := cmp.Diff(a, back); diff != "" {
			t.Errorf("read back (-written +read):\n%s\n%s", diff, raw)
		}
	}
}
