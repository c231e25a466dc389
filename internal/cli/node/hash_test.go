package node

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/spec"
)

// TestHashPassword: the hash is one that the answers take, no two are the same,
// and openssl, which has SHA-crypt of its own, makes the same of its salt.
func TestHashPassword(t *testing.T) {
	const password = "swordfish ?ü"
	h := newHost(t, newBench(t))
	begun := time.Now()
	hash, err := h.HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it takes %s", took)
	}
	f := strings.Split(hash, "$")
	if len(f) != 5 || f[1] != "6" || f[2] != "rounds=200000" || len(f[3]) != 16 || strings.Contains(hash, password) {
		t.Fatalf("have %q", hash)
	}
	if err := spec.ValidateAnswers(spec.Answers{APIVersion: spec.APIVersion, Kind: spec.KindAnswers, Name: "n", Users: []spec.User{{Name: "ops", PasswordHash: hash}}}); err != nil {
		t.Error(err)
	}
	if again, _ := h.HashPassword(password); again == hash {
		t.Error("two hashes have one salt")
	}
	if h.r.errw.(interface{ String() string }).String() != "" {
		t.Error("something was logged")
	}
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("there is no openssl here")
	}
	cmd := exec.Command(openssl, "passwd", "-6", "-salt", f[2]+"$"+f[3], "-stdin")
	cmd.Stdin = strings.NewReader(password + "\n")
	out, err := cmd.Output()
	if got := strings.TrimSpace(string(out)); err != nil || got != hash {
		t.Errorf("openssl makes %q (%v), want %q", got, err, hash)
	}
}
