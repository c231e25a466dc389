package node

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// consoleEnvironment is the part of the environment that only the status
// console meets.
type consoleEnvironment interface {
	// Password says whether that is the user's password.
	Password(ctx context.Context, user, password string) error
	// Until returns at that time, or when ctx ends.
	Until(ctx context.Context, at time.Time)
	// Synchronised says whether the kernel's clock follows a time server.
	Synchronised() bool
}

// consoleMark is there while the status console has the screen: it is the unit's
// RuntimeDirectory.
const consoleMark = "/run/caisson-console"

// beneath is the screen for those who only write to it. While the status console
// shows there what they have to say, they keep quiet.
type beneath struct {
	*os.File
	mark string
}

func (b beneath) Write(p []byte) (int, error) {
	if _, err := os.Stat(b.mark); err == nil {
		return len(p), nil
	}
	return b.File.Write(p)
}

// passwordChecker is PAM's own helper: it knows every kind of hash in
// /etc/shadow and changes nothing (unix_chkpwd(8)).
const passwordChecker = "/usr/sbin/unix_chkpwd"

func (machineEnvironment) Password(ctx context.Context, user, password string) error {
	return checkPassword(ctx, passwordChecker, user, password)
}

// What the helper ends with (PAM's _pam_types.h).
const (
	pamSuccess    = 0
	pamAuthErr    = 7
	pamNewToken   = 12 // the password is to be changed: not here
	checkPatience = 30 * time.Second
)

func checkPassword(ctx context.Context, program, user, password string) error {
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	ask := func(what, stdin string) (int, error) {
		cmd := exec.CommandContext(ctx, program, user, what)
		cmd.Stdin = strings.NewReader(stdin)
		err := cmd.Run()
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.Exited() {
			return exit.ExitCode(), nil
		}
		return 0, err
	}
	status, err := ask("nonull", password+"\x00")
	switch {
	case err != nil:
		return PasswordUnchecked.New("cannot check the password of %s: %w", user, err).Hint("journalctl -b says more")
	case status == pamAuthErr:
		return PasswordRefused.New("cannot open the menu: have another password, need the one of %s", user).
			Hint("look at Caps Lock and at the keyboard's layout")
	case status != pamSuccess:
		return PasswordUnchecked.New("cannot check the password of %s: have status %d of %s, need 0 or %d", user, status, program, pamAuthErr).
			Hint("journalctl -b says more")
	}
	status, err = ask("chkexpiry", "")
	switch {
	case err != nil:
		return PasswordUnchecked.New("cannot check the account of %s: %w", user, err).Hint("journalctl -b says more")
	case status != pamSuccess && status != pamNewToken:
		return PasswordRefused.New("cannot open the menu: have an account %s that is no longer valid (status %d), need one that is", user, status).
			Hint("another administrator can; is the clock right?")
	}
	return nil
}

func (machineEnvironment) Until(ctx context.Context, at time.Time) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Until(at)):
	}
}

func (machineEnvironment) Synchronised() bool {
	var t unix.Timex // no mode: it is only read (adjtimex(2))
	state, err := unix.Adjtimex(&t)
	return err == nil && state != unix.TIME_ERROR
}
