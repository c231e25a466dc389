package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/muesli/cancelreader"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"caisson.dev/caisson/spec"
)

// mayShell says whether the Spec allows a root shell: by default it does not.
func mayShell(e spec.Enclave) error {
	if e.OS.RootShell {
		return nil
	}
	return ShellRefused.New("cannot open a root shell: have a Spec that allows none, need os.rootShell: true in it").
		Hint("only a medium made from another Spec can change that")
}

// shellArgv is what runs, and shellEnv all that it is given. A shell that nobody
// uses ends by itself, as the menu does (TMOUT, bash(1)).
var (
	shellArgv = []string{"/bin/bash", "--login"}
	shellEnv  = []string{"TERM=linux", "HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/bash", "LANG=C.UTF-8", "TMOUT=600",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
)

const shellWelcome = "\r\nThis is a root shell. The word exit brings the screens back; so do ten minutes without a key.\r\n\r\n"

func (machineEnvironment) Shell(ctx context.Context, device string) error {
	// Opened anew: the screens' own descriptor stays as they left it.
	console, err := os.OpenFile(device, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return ShellFailed.New("cannot open a root shell at %s: %w", device, err)
	}
	defer console.Close()
	if err := shellOn(ctx, console, shellArgv, shellEnv); err != nil {
		return ShellFailed.New("cannot run a root shell at %s: %w", device, err).Hint("Alt-F2 may show a login")
	}
	return nil
}

// drain is how long what a shell has said last may take to come out.
const drain = 300 * time.Millisecond

// shellOn runs a program at a console until it ends. It gets a terminal of its
// own, joined to the console byte by byte: the kernel hangs the controlling
// terminal of a session up when its leader ends, for everybody who has it open,
// and the screens could not come back.
func shellOn(ctx context.Context, console *os.File, argv, env []string) error {
	far, near, err := ownTerminal(console)
	if err != nil {
		return err
	}
	defer far.Close()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env, cmd.Dir = near, near, near, env, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	in, err := cancelreader.NewReader(console)
	if err != nil {
		return errors.Join(err, near.Close())
	}
	defer in.Close()
	// Signals and line ends are the business of the shell's own terminal.
	was, err := term.MakeRaw(int(console.Fd()))
	if err != nil {
		return errors.Join(err, near.Close())
	}
	defer func() { _ = term.Restore(int(console.Fd()), was) }()
	if _, err := io.WriteString(console, shellWelcome); err != nil {
		return errors.Join(err, near.Close())
	}
	err = cmd.Start()
	if closed := near.Close(); err != nil || closed != nil {
		return errors.Join(err, closed)
	}
	typed, shown := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(typed)
		if _, err := io.Copy(far, in); !errors.Is(err, cancelreader.ErrCanceled) {
			_ = far.Close() // the console is gone, and so is the shell then
		}
	}()
	go func() {
		defer close(shown)
		_, _ = io.Copy(console, far) // it ends with EIO, once nobody has the terminal
	}()
	err = cmd.Wait()
	select {
	case <-shown:
	case <-time.After(drain): // something in the background still has it
	}
	in.Cancel()
	_ = far.Close()
	<-typed
	<-shown
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil // the status of the last command is no failure
	}
	return err
}

// ownTerminal makes a pseudo-terminal of the console's size (pts(4)).
func ownTerminal(console *os.File) (far, near *os.File, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("/dev/ptmx: %w", err)
	}
	far = os.NewFile(uintptr(fd), "ptmx")
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		size, asked := unix.IoctlGetWinsize(int(console.Fd()), unix.TIOCGWINSZ)
		if asked != nil || size.Col == 0 || size.Row == 0 { // a serial line
			size = &unix.Winsize{Col: 80, Row: 24}
		}
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size)
	}
	if err == nil {
		near, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		return nil, nil, errors.Join(err, far.Close())
	}
	return far, near, nil
}
