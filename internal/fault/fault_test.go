package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

var (
	small  = Define("DISK-TOO-SMALL", Machine)
	absent = Define("FILE-ABSENT", Input)
)

func TestTextIsForPeople(t *testing.T) {
	err := small.New("cannot install to %s: have %d, need %d", "sda", 1, 2).Hint("use a larger disk").Hint("or %s", "another profile")
	want := "DISK-TOO-SMALL: cannot install to sda: have 1, need 2\nhint: use a larger disk\nhint: or another profile"
	if err.Error() != want {
		t.Errorf("have %q\nwant %q", err.Error(), want)
	}
}

func TestCauseStaysReachable(t *testing.T) {
	err := absent.New("cannot read x: %w", fs.ErrNotExist)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the cause is lost")
	}
	if absent.New("cannot read x").Unwrap() != nil {
		t.Error("a cause from nothing")
	}
	var f *Fault
	if wrapped := fmt.Errorf("first: %w", err); !errors.As(wrapped, &f) || f.Code != "FILE-ABSENT" {
		t.Error("the fault is not found through a wrapper")
	}
}

func TestAllAndExitStatus(t *testing.T) {
	a, b := small.New("a"), absent.New("b")
	nested := absent.New("cannot go on: %w", fmt.Errorf("because: %w", a))
	for _, c := range []struct {
		what   string
		err    error
		codes  []string
		status int
	}{
		{"nothing", nil, nil, 0},
		{"another error", errors.New("x"), nil, 1},
		{"one", a, []string{"DISK-TOO-SMALL"}, 6},
		{"wrapped", fmt.Errorf("x: %w", b), []string{"FILE-ABSENT"}, 3},
		{"joined", errors.Join(b, a), []string{"FILE-ABSENT", "DISK-TOO-SMALL"}, 3},
		{"joined with another", errors.Join(errors.New("x"), fmt.Errorf("y: %w", errors.Join(a))), []string{"DISK-TOO-SMALL"}, 6},
		{"one in another", nested, []string{"FILE-ABSENT", "DISK-TOO-SMALL"}, 3},
		{"two wrapped by one", fmt.Errorf("%w and %w", a, b), []string{"DISK-TOO-SMALL", "FILE-ABSENT"}, 6},
	} {
		all := All(c.err)
		if len(all) != len(c.codes) {
			t.Errorf("%s: have %v, want %v", c.what, all, c.codes)
			continue
		}
		for i, code := range c.codes {
			if all[i].Code != code {
				t.Errorf("%s: fault %d is %s, want %s", c.what, i, all[i].Code, code)
			}
		}
		if got := ExitStatus(c.err); got != c.status {
			t.Errorf("%s: exit status %d, want %d", c.what, got, c.status)
		}
		if small.Is(c.err) != (len(c.codes) > 0 && (c.codes[0] == small.Code || c.codes[len(c.codes)-1] == small.Code)) {
			t.Errorf("%s: Is is wrong", c.what)
		}
	}
}
