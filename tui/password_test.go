package tui

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/spec"
)

// word is an administrator's password; madeHash is one that a host could make.
const (
	word     = "swordfish? 9"
	madeHash = "$6$rounds=200000$abcdefghijklmnop$KJzIxPfmx7KMQmLbHbHKlcSAWQnPBpFiLXhpQ36DZ4f7HZmNcJ7yHYxXuUJrKDbMQB2tCRfZMfHTbNL5FwZGC."
)

// hash answers as a host does, one without random numbers if the salt is held.
func (s *stage) hash(e HashPassword) []Event {
	switch {
	case s.held["hash"]:
		return nil
	case s.held["salt"]:
		return []Event{Hashed{Number: e.Number, Err: mediumGone.New("cannot make the hash: have no random numbers, need some")}}
	}
	return []Event{Hashed{Number: e.Number, Hash: madeHash}}
}

// TestPassword: typed twice, it comes into the answers as its hash alone.
func TestPassword(t *testing.T) {
	s := shot(t, toHash)
	want := []spec.User{{Name: "ops", PasswordHash: madeHash, Admin: true}}
	if a := s.w.answers(); s.w.step != review || s.w.plan == nil || len(a.Users) != 1 || a.Users[0].PasswordHash != madeHash || a.Users[0].Name != want[0].Name || !a.Users[0].Admin {
		t.Fatalf("at step %d with %+v, %v; want %+v", s.w.step, a.Users, s.w.planErr, want)
	}
	if err := spec.ValidateAnswers(s.w.answers()); err != nil {
		t.Error(err)
	}
	s.do(t, "keys esc")
	s.send(Press{"unset"})
	if a := s.w.answers(); a.Users[0].PasswordHash != "" {
		t.Error("it cannot be taken away")
	}
	s.send(Press{"continue"})
	if s.w.step != usersPage || s.w.focus != s.w.page().find(FieldPassword) {
		t.Errorf("at step %d: an account without key and password leads on", s.w.step)
	}
}

// TestPasswordRules: which pairs lead on, and where the others are mended.
func TestPasswordRules(t *testing.T) {
	for _, c := range []struct {
		typed, again string
		at           Field
		code         string
	}{
		{"", "", "", ""}, {"12345678", "12345678", "", ""}, {"ünïcödé!", "ünïcödé!", "", ""}, {"1234567", "1234567", FieldPassword, "PASSWORD-LENGTH"},
		{"12345678", "", FieldAgain, "PASSWORD-DIFFERS"}, {"12345678", "12345679", FieldAgain, "PASSWORD-DIFFERS"}, {"12345678 ", "12345678", FieldAgain, "PASSWORD-DIFFERS"},
		{strings.Repeat("x", mostPassword), strings.Repeat("x", mostPassword), "", ""},
		{strings.Repeat("x", mostPassword+1), strings.Repeat("x", mostPassword+1), FieldPassword, "PASSWORD-LENGTH"},
	} {
		s := shot(t, then(toUsers, "type ops", "keys enter", "type "+sshKey))
		s.send(Fill{FieldPassword, c.typed})
		s.send(Fill{FieldAgain, c.again})
		wrong := s.w.errors()
		if c.code == "" && len(wrong) > 0 || c.code != "" && (len(wrong) != 1 || len(wrong[c.at]) != 1 || !strings.HasPrefix(wrong[c.at][0].Error(), c.code+":")) {
			t.Errorf("%q and %q: have %v, want %s %s", c.typed, c.again, wrong, c.at, c.code)
		}
		s.send(Press{"continue"})
		if on := s.w.step == review; on != (c.code == "") {
			t.Errorf("%q and %q: leads on is %v", c.typed, c.again, on)
		}
	}
}

// TestPasswordLeavesNoTrace: it is in the one effect that needs it, printed by
// nothing, and gone once its hash is made or the page was left.
func TestPasswordLeavesNoTrace(t *testing.T) {
	for _, way := range [][]string{slices.Concat([]string{"hold hash"}, toHash), toHash, slices.Concat([]string{"hold salt"}, toHash), then(toHash, "keys esc"),
		then(toHash, "keys enter", "type nx0n", "keys enter enter")} {
		s := shot(t, way)
		answers, err := json.Marshal(s.w.answers())
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{string(answers), fmt.Sprintf("%+v", s.w.draft), fmt.Sprintf("%v %+v %#v", s.w, s.w, s.w.password), effectsText(t, s.effects),
			fmt.Sprintf("%v", s.effects), mark(s.w), s.w.View(Canvas{Width: 110, Height: 50}).Text()} {
			if strings.Contains(text, word[:8]) {
				t.Errorf("the password is in\n%s", text)
			}
		}
		if s.w.step != usersPage && (s.w.password.typed != nil || s.w.password.again != nil) {
			t.Errorf("it is kept at step %d", s.w.step)
		}
	}
	s := shot(t, then(toUsers, "type ops", "keys enter enter", "type "+word, "keys esc"))
	if s.w.password.typed != nil {
		t.Error("it is kept after the page was left")
	}
}

// TestHashOfAnotherPassword: a hash counts only for what asked for it.
func TestHashOfAnotherPassword(t *testing.T) {
	s := shot(t, slices.Concat([]string{"hold hash"}, toHash, []string{"keys esc"}))
	late := Hashed{Number: s.effects[len(s.effects)-1].(HashPassword).Number, Hash: madeHash}
	s.send(late)
	if s.w.step != timePage || s.w.draft.get(FieldHash) != "" {
		t.Errorf("at step %d with %q", s.w.step, s.w.draft.get(FieldHash))
	}
	s.do(t, "keys down down down enter")
	s.send(late)
	if s.w.step != usersPage || s.w.draft.get(FieldHash) != "" {
		t.Errorf("at step %d with %q: a late hash counts", s.w.step, s.w.draft.get(FieldHash))
	}
}

// TestPlainAsksForThePassword: twice, not shown, and with a way to have none.
func TestPlainAsksForThePassword(t *testing.T) {
	s, host, _ := serve(t)
	host.mu.Lock()
	st := *host.stage
	host.mu.Unlock()
	st.do(t, toUsers...)
	s.mu.Lock()
	s.wizard = st.w
	s.mu.Unlock()
	r, w := io.Pipe()
	out := &printer{}
	go func() {
		_ = s.Plain(t.Context(), Terminal{Name: "ttyS0", In: r, Out: out, ASCII: true, Echo: func(bool) {}})
	}()
	at := 0
	for _, step := range []struct{ asks, answer string }{
		{"Account (as in ops) []: ", "ops"}, {"SSH key (ssh-ed25519 AAAA...) []: ", ""},
		{"Password (not shown while you type) []: ", ""}, {"need  at least one", "short"},
		{"need  8 to 500", "-"}, {"need  at least one", word + "  "}, {"Again (not shown while you type) []: ", word}, {"need  the same one twice", word + "  "},
		{"1  Continue", ""}, {"review", ""},
	} {
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
			if i := strings.Index(out.String()[at:], step.asks); i >= 0 {
				at += i + len(step.asks)
				break
			}
			if time.Now().After(end) {
				t.Fatalf("never says %q:\n%s", step.asks, out)
			}
		}
		if step.asks != "review" {
			if _, err := w.Write([]byte(step.answer + "\n")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if a := s.look().answers(); len(a.Users) != 1 || a.Users[0].PasswordHash != madeHash {
		t.Errorf("users are %+v", a.Users)
	}
	if strings.Contains(out.String(), word) || strings.Contains(out.String(), "short") {
		t.Errorf("the password is printed:\n%s", out)
	}
}
