package vm

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// VM is a running machine (or one that ran: what it said stays readable).
type VM struct {
	Config Config
	Args   []string // QEMU's arguments, for the report
	QMP    *QMP
	Events *Feed
	Serial *Serial

	started time.Time
	process *os.Process
	serial  net.Conn
	closers []io.Closer
	exited  chan struct{} // closed when the process is gone; then status and after are set
	status  int
	after   time.Duration

	mu     sync.Mutex
	reason string
	resets int
}

// Start resolves the Config and runs the machine until the guest ends it, Kill
// or Quit is called, or ctx ends. It returns when QMP answers.
func Start(ctx context.Context, c Config) (*VM, error) {
	if c.Console != "" && c.Console != ConsoleSocket {
		return nil, ConfigWrong.New("cannot drive a virtual machine: have console %s, need %s", c.Console, ConsoleSocket)
	}
	c, err := Resolve(c)
	if err != nil {
		return nil, err
	}
	args, err := Argv(c)
	if err != nil {
		return nil, err
	}
	v := &VM{Config: c, Args: args, Serial: NewSerial(), exited: make(chan struct{})}
	if err := v.launch(ctx); err != nil {
		v.Close()
		return nil, err
	}
	return v, nil
}

func (v *VM) launch(ctx context.Context) error {
	listeners := map[string]*net.UnixListener{}
	for _, name := range []string{serialSocket, eventSocket, qmpSocket} {
		path := v.Config.file(name)
		_ = os.Remove(path) // left by an earlier start in the same folder
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			return StartFailed.New("cannot listen for the virtual machine: %w", err)
		}
		listeners[name] = l
		v.closers = append(v.closers, l)
	}
	events, err := os.OpenFile(v.Config.file(EventLog), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return StartFailed.New("cannot open the event log: %w", err)
	}
	v.closers = append(v.closers, events)
	if err := v.run(ctx); err != nil {
		return err
	}
	v.Events = NewFeed(v.started, events)
	if v.serial, err = v.accept(ctx, listeners[serialSocket]); err != nil {
		return err
	}
	go v.Serial.Read(tapped(v.serial, v.Config.SerialTap))
	port, err := v.accept(ctx, listeners[eventSocket])
	if err != nil {
		return err
	}
	go v.Events.Read(port)
	control, err := v.accept(ctx, listeners[qmpSocket])
	if err != nil {
		return err
	}
	v.QMP, err = NewQMP(ctx, control, v.notice)
	if err == nil || ctx.Err() != nil {
		return err
	}
	// QEMU connects before it looks at its disks and flash: it is on its way out.
	select {
	case <-v.exited:
		return v.notStarted()
	case <-ctx.Done():
		return err
	}
}

// tapped is the line, copied to tap as it is read.
func tapped(line io.Reader, tap io.Writer) io.Reader {
	if tap == nil {
		return line
	}
	return io.TeeReader(line, tap)
}

func (v *VM) notStarted() error {
	return StartFailed.New("cannot start the virtual machine: have exit status %d, need a running QEMU: %s",
		v.status, v.qemuSaid()).Hint("the arguments were: %s", strings.Join(v.Args, " "))
}

// run starts the process. Its thread is held until the end, because the kernel
// ties Pdeathsig to the thread that started the child (prctl(2)): so no
// machine is left behind when the test program is killed.
func (v *VM) run(ctx context.Context) error {
	log, err := os.OpenFile(v.Config.file(QEMULog), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return StartFailed.New("cannot open QEMU's log: %w", err)
	}
	v.closers = append(v.closers, log)
	cmd := exec.CommandContext(ctx, v.Config.Program, v.Args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	began := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		v.process, v.started = cmd.Process, time.Now()
		began <- err
		if err != nil {
			return
		}
		_ = cmd.Wait() // the status is read below; its text is in the log
		v.ended(cmd.ProcessState)
	}()
	if err := <-began; err != nil {
		close(v.exited)
		return StartFailed.New("cannot start %s: %w", v.Config.Program, err)
	}
	return nil
}

func (v *VM) ended(state *os.ProcessState) {
	v.status, v.after = state.ExitCode(), time.Since(v.started)
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL {
		v.mu.Lock()
		v.reason = "killed"
		v.mu.Unlock()
	}
	close(v.exited)
}

// notice keeps why the machine went down, which QEMU says before it leaves, and
// counts its restarts (qapi/run-state.json: SHUTDOWN, RESET).
func (v *VM) notice(n Notice) {
	v.mu.Lock()
	defer v.mu.Unlock()
	byGuest, _ := n.Data["guest"].(bool)
	switch reason, _ := n.Data["reason"].(string); {
	case n.Event == "SHUTDOWN":
		v.reason = reason
	case n.Event == "RESET" && byGuest:
		v.resets++
	}
}

// accept waits for QEMU to connect, or to end before it does.
func (v *VM) accept(ctx context.Context, l *net.UnixListener) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	got := make(chan result, 1)
	go func() {
		conn, err := l.Accept()
		got <- result{conn, err}
	}()
	select {
	case r := <-got:
		if r.err != nil {
			return nil, StartFailed.New("cannot connect to the virtual machine: %w", r.err)
		}
		v.closers = append(v.closers, r.conn)
		return r.conn, nil
	case <-v.exited:
		return nil, v.notStarted()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (v *VM) qemuSaid() string {
	b, err := os.ReadFile(v.Config.file(QEMULog))
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(b))
}

// Run runs a machine for a person, with this terminal as its console, until it
// is closed.
func Run(ctx context.Context, c Config, in io.Reader, out, errs io.Writer) error {
	c, err := Resolve(c)
	if err != nil {
		return err
	}
	args, err := Argv(c)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, c.Program, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, errs
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		f := StartFailed.New("cannot run the virtual machine: have a QEMU that ended with %w, need its end without an error (its words are above)", err)
		if c.Console == ConsoleWindow {
			f.Hint("if the window was the reason: --serial does without one")
		}
		return f
	}
	return nil
}
