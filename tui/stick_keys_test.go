package tui

import (
	"slices"
	"testing"
)

const deskKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKcyqf/tVS9E1Jtdidi2j5NAUlEptWs3BX7V5MEEtQn0 ops@desk"

// stickKeys is a stick with two keys, or none if it is held.
func (s *stage) stickKeys() Event {
	if s.held["stick"] {
		return KeysRead{Err: mediumGone.New("cannot read keys from the stick: have no public key in a file *.pub, need one in its top folder").Hint("id.pub: a private key")}
	}
	return KeysRead{Keys: []string{sshKey, deskKey}, Where: "SanDisk Ultra"}
}

// TestFingerprint: as ssh-keygen -l -f shows it (OpenSSH 9.2).
func TestFingerprint(t *testing.T) {
	for key, want := range map[string]string{sshKey: "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA", deskKey: "SHA256:MqPilpDoOZU3lgTHJVROo6MA4/2SgD9EYQCxE6lZ5bU", "": "", "ssh-rsa %": ""} {
		if got := fingerprint(key); got != want {
			t.Errorf("%q: have %s, want %s", key, got, want)
		}
	}
}

// TestKeysOfStick: those that are chosen come into the answers, each once, beside
// the one that was typed; reading again loses no choice.
func TestKeysOfStick(t *testing.T) {
	s := shot(t, then(toUsers, "type ops"))
	s.send(Press{"keys"})
	has := func(want ...string) {
		t.Helper()
		u, _ := s.w.draft.typedUser()
		if !slices.Equal(u.SSHKeys, want) {
			t.Errorf("have %q, want %q", u.SSHKeys, want)
		}
	}
	has()
	s.send(Press{Field(keyWord + fingerprint(deskKey))})
	has(deskKey)
	s.send(Press{"keys"})
	s.send(Press{Field(keyWord + fingerprint(sshKey))})
	has(sshKey, deskKey)
	s.send(Fill{FieldKey, sshKey})
	has(sshKey, deskKey)
	s.send(Press{Field(keyWord + fingerprint(deskKey))})
	has(sshKey)
	if n := len(s.w.draft.offered); n != 2 {
		t.Errorf("%d keys are offered, want 2", n)
	}
	s.send(Press{"continue"})
	if s.w.step != review || s.w.plan == nil {
		t.Errorf("at step %d: %v", s.w.step, s.w.planErr)
	}
	s = shot(t, slices.Concat([]string{"hold stick"}, toUsers))
	s.send(Press{"keys"})
	if !mediumGone.Is(s.w.failed) || len(s.w.draft.offered) > 0 {
		t.Errorf("have %v", s.w.failed)
	}
}
