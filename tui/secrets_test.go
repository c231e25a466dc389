package tui

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/secrets"
	"caisson.dev/caisson/spec"
)

// open is what a host does with the passphrase.
func (s *stage) open(passphrase string) error {
	v, err := mountedSealed()
	if err != nil {
		return err
	}
	r, err := v.OpenPath(bundle.SecretsPath)
	if err != nil {
		return err
	}
	sealed, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	_, err = secrets.Open(sealed, *v.Manifest().Secrets, passphrase)
	return err
}

const phrase = installtest.Passphrase

// toSecrets is the way there, past the page that leads on otherwise.
var toSecrets = toReview

// sealedShots are the screens of a medium that brings sealed secrets.
var sealedShots = []struct {
	name string
	way  []string
}{
	{"09-users", toUsers},
	{"10-secrets", toSecrets},
	{"10-secrets-typed", then(toSecrets, "type "+phrase)},
	{"10-secrets-shown", then(toSecrets, "type "+phrase, "keys tab tab enter")},
	{"10-secrets-empty", then(toSecrets, "keys enter enter")},
	{"10-secrets-wrong", then(toSecrets, "type "+phrase+"x", "keys enter enter")},
	{"10-secrets-opening", then(toSecrets, "hold secrets", "type "+phrase, "keys enter enter")},
	{"11-review", then(toSecrets, "type "+phrase, "keys enter enter")},
	{"11-review-back", then(toSecrets, "type "+phrase, "keys enter enter esc")},
}

func TestSecretsScreens(t *testing.T) {
	for _, x := range sealedShots {
		s := enact(t, rugged(t), installtest.SealedSpec)
		s.do(t, x.way...)
		for _, text := range holdTexts(t, "sealed", x.name, s.w.View, append(canvases, smallest)...) {
			if strings.Contains(text, phrase) && x.name != "10-secrets-shown" {
				t.Errorf("%s: the passphrase is on the screen", x.name)
			}
		}
		holdColours(t, "sealed", x.name, "orange", s.w.View)
	}
}

// TestWorkerNeedsNoSecrets: the page is there for the roles that get them.
func TestWorkerNeedsNoSecrets(t *testing.T) {
	s := enact(t, rugged(t), installtest.SealedSpec)
	s.do(t, toRole...)
	s.do(t, "keys down") // to the worker
	s.do(t, slices.Concat([]string{"keys enter"}, toReview[len(toDisk):])...)
	if s.w.step != review || s.w.plan == nil || s.w.plan.Role != spec.Worker || s.w.plan.Secrets() != nil {
		t.Fatalf("at step %d with %v", s.w.step, s.w.planErr)
	}
	if n, of := s.w.place(); n != 10 || of != 13 {
		t.Errorf("this is step %d of %d", n, of)
	}
	s.do(t, "keys esc")
	if s.w.step != usersPage {
		t.Errorf("back leads to step %d", s.w.step)
	}
}

// TestRosterStillAsksForThePassphrase: what a roster entry cannot fill in.
func TestRosterStillAsksForThePassphrase(t *testing.T) {
	m := installtest.Machine()
	m.Serial = "SN-2"
	s := enact(t, m, installtest.SealedSpec)
	s.do(t, "keys enter")
	if s.w.step != secretsPage {
		t.Fatalf("at step %d, want the secrets", s.w.step)
	}
	s.do(t, "type "+phrase, "keys enter enter")
	if s.w.step != review || s.w.plan == nil || s.w.plan.Secrets() == nil {
		t.Fatalf("at step %d with %v", s.w.step, s.w.planErr)
	}
}

// TestPassphraseLeavesNoTrace: it is in the one effect that needs it, printed by
// nothing, and gone from the wizard once it did its work or was left.
func TestPassphraseLeavesNoTrace(t *testing.T) {
	trace := func(s *stage) []string {
		answers, err := json.Marshal(s.w.answers())
		if err != nil {
			t.Fatal(err)
		}
		out := []string{string(answers), fmt.Sprintf("%+v", s.w.draft), fmt.Sprintf("%#v %v %+v", s.w.draft, s.w.seal, s.w), effectsText(t, s.effects), fmt.Sprintf("%v", s.effects), mark(s.w)}
		for range 40 {
			out = append(out, s.w.View(Canvas{Width: 110, Height: 50}).Text())
			s.do(t, "keys pgdn")
		}
		return out
	}
	check := func(s *stage, when string) {
		t.Helper()
		for _, text := range trace(s) {
			if strings.Contains(text, phrase) || strings.Contains(text, phrase[:10]) {
				t.Errorf("%s: the passphrase is in\n%s", when, text)
			}
		}
	}
	s := enact(t, rugged(t), installtest.SealedSpec)
	s.do(t, toSecrets...)
	s.do(t, "type "+phrase+"x", "keys enter enter")
	check(s, "after a wrong one")
	if s.w.seal.text() != phrase+"x" {
		t.Error("what was typed is lost")
	}
	s.do(t, "keys end backspace enter enter")
	if s.w.step != review {
		t.Fatalf("at step %d: %v", s.w.step, s.w.failed)
	}
	check(s, "after the right one")
	if s.w.seal.typed != nil {
		t.Error("it is kept after it did its work")
	}
	s.do(t, "keys enter", "type nx0n", "keys enter enter")
	check(s, "at the end")
	other := enact(t, rugged(t), installtest.SealedSpec)
	other.do(t, toSecrets...)
	other.do(t, "type "+phrase, "keys esc")
	if other.w.seal.typed != nil {
		t.Error("it is kept after the page was left")
	}
}

// TestSecretsOfAnotherCheck: what was opened belongs to one check of the medium.
func TestSecretsOfAnotherCheck(t *testing.T) {
	s := enact(t, rugged(t), installtest.SealedSpec)
	s.do(t, toSecrets...)
	s.do(t, "hold secrets", "type "+phrase, "keys enter enter")
	s.w, _ = s.w.checkMedium()
	s.send(MediumOK{s.facts})
	s.do(t, "opened")
	if s.w.seal.open {
		t.Error("an answer that came late counts")
	}
	s.send(SecretsOpened{Number: s.w.seal.try + 1})
	s.send(SecretsOpened{Number: s.w.seal.try, Err: errors.New("x")})
	if s.w.seal.open || s.w.failed != nil {
		t.Error("an answer to no question counts")
	}
}

// TestPlainAsksForThePassphrase: the terminal is told not to show it, a wrong one
// is asked for again, and nothing that is printed holds it.
func TestPlainAsksForThePassphrase(t *testing.T) {
	s, _, _ := serveSpec(t, installtest.SealedSpec)
	r, w := io.Pipe()
	out := &printer{}
	echoes := make(chan bool, 100)
	go func() {
		_ = s.Plain(t.Context(), Terminal{Name: "ttyS0", In: r, Out: out, ASCII: true, Echo: func(on bool) { echoes <- on }})
	}()
	at := 0
	await := func(text string) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
			if i := strings.Index(out.String()[at:], text); i >= 0 {
				at += i + len(text)
				return
			}
			if time.Now().After(end) {
				t.Fatalf("never says %q:\n%s", text, out)
			}
		}
	}
	for _, step := range []struct{ asks, answer string }{
		{"y or n [n]: ", ""}, {"Number [1]: ", ""}, {"Number [1]: ", ""}, {"Number [1]: ", ""}, // welcome, medium, machine
		{"3  node1", "3"},
		{"Passphrase (not shown while you type) []: ", phrase + "x"}, {"1  Open them", ""},
		{"have  another passphrase", ""}, {"[as typed before]: ", phrase}, {"1  Open them", ""},
		{"review", ""},
	} {
		await(step.asks)
		if step.asks == "review" || strings.HasPrefix(step.asks, "have") {
			continue
		}
		if _, err := w.Write([]byte(step.answer + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	var heard []bool
	for range 4 {
		heard = append(heard, <-echoes)
	}
	if !slices.Equal(heard, []bool{false, true, false, true}) || len(echoes) > 0 {
		t.Errorf("the terminal was told %v", heard)
	}
	if strings.Contains(out.String(), phrase) {
		t.Errorf("the passphrase is printed:\n%s", out)
	}
}
