// Package node is the command line of `caisson-node`: on the booted medium it
// installs, on the installed node it tells how the node is. It reads flags,
// calls the arrows of the flow in order (bundle.Verify, spec.Complete,
// plan.Make, plan.Confirm, apply.Run) and says what happens, to people on the
// consoles and to machines as events.
//
// It decides nothing about disks and configures nothing itself. It links no
// downloader: a node fetches nothing.
package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"caisson.dev/caisson/internal/cli"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/version"
)

type commands struct {
	Install  installCmd       `cmd:"" help:"Check the medium, plan, and install this machine."`
	Verify   verifyCmd        `cmd:"" help:"Check every file of the medium against its manifest."`
	Ready    readyCmd         `cmd:"" help:"Wait until Kubernetes is ready, apply the carried manifests, and say so."`
	Status   statusCmd        `cmd:"" help:"Say what runs on this node, with its CIS table."`
	Check    checkCmd         `cmd:"" help:"Check this node against the profile's CIS table."`
	Console  consoleCmd       `cmd:"" help:"Show the status console on this terminal, as the installed node does on its screen."`
	Health   healthCmd        `cmd:"" help:"The boot gate: fail if this version of the node OS does not work here."`
	Revert   networkRevertCmd `cmd:"" name:"network-revert" help:"Bring the network back from before a change that nobody confirmed."`
	Room     roomCmd          `cmd:"" help:"Make room on a full disk, without touching what somebody may need."`
	Keys     keysCmd          `cmd:"" help:"Make the secrets that are made on the node itself, if they are missing."`
	Prepare  prepareCmd       `cmd:"" help:"Look at all on which a start of Kubernetes would fail on this node."`
	WaitHTTP waitHTTPCmd      `cmd:"" name:"wait-http" help:"Wait until a URL answers."`
	Explain  explainCmd       `cmd:"" help:"Print the page of an error code."`
	Version  versionCmd       `cmd:"" help:"Print the version."`
}

// run is what every command gets.
type run struct {
	ctx  context.Context
	in   io.Reader
	out  io.Writer
	errw io.Writer
	root string // "/" but in tests
	now  func() time.Time
	env  environment
}

// Main runs the program and returns its exit status: 0, or the fault's class.
func Main(args []string, in io.Reader, out, errw io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return execute(args, &run{ctx: ctx, in: in, out: out, errw: errw, root: "/", now: time.Now, env: machineEnvironment{}})
}

type exitNow struct{ code int }

func execute(args []string, r *run) (status int) {
	var c commands
	parser, err := kong.New(&c, kong.Name("caisson-node"),
		kong.Description("Installs a Caisson node from its medium, and tells how an installed node is."),
		kong.Writers(r.out, r.errw), kong.Exit(func(code int) { panic(exitNow{code}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 79}))
	if err != nil {
		fmt.Fprintln(r.errw, err)
		return int(fault.Internal)
	}
	defer func() { // kong ends --help by calling Exit
		if p := recover(); p != nil {
			e, ours := p.(exitNow)
			if !ours {
				panic(p)
			}
			status = e.code
		}
	}()
	k, err := parser.Parse(args)
	if err != nil {
		err := cli.BadUsage.New("cannot read the command line: %w", err).Hint("caisson-node --help")
		if slices.Contains(args, "--json") {
			return r.fail(r.failed("caisson", err))
		}
		return r.fail(err)
	}
	if err := k.Run(r); err != nil {
		return r.fail(err)
	}
	return 0
}

// fail prints an error for people and gives its exit status.
func (r *run) fail(err error) int {
	for _, line := range sentences(err) {
		fmt.Fprintln(r.errw, line)
	}
	if all := fault.All(err); len(all) > 0 {
		fmt.Fprintf(r.errw, "more: caisson-node explain %s\n", all[0].Code)
	}
	return fault.ExitStatus(err)
}

// sentences is an error as lines: joined errors one after another.
func sentences(err error) []string {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []string
		for _, e := range joined.Unwrap() {
			out = append(out, sentences(e)...)
		}
		return out
	}
	return []string{err.Error()}
}

// errorEvents is an error as events: one for each fault that stands for itself.
func errorEvents(err error) []event.Event {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []event.Event
		for _, e := range joined.Unwrap() {
			out = append(out, errorEvents(e)...)
		}
		return out
	}
	e := event.Event{Name: "error", Message: err.Error()}
	var f *fault.Fault
	if errors.As(err, &f) {
		e.Code = f.Code
	}
	return []event.Event{e}
}

type versionCmd struct{}

func (versionCmd) Run(r *run) error {
	_, err := fmt.Fprintln(r.out, "caisson-node "+version.Version)
	return err
}
