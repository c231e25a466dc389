// Package build is the command line of `caisson`: it reads flags, calls one
// arrow of the flow after another (internal/assemble) and prints. It decides
// nothing about media, plans or nodes. Results go to standard output, progress
// and errors to standard error; the exit status is the fault's class.
package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"

	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/cli"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/progress"
	"caisson.dev/caisson/internal/version"
)

type commands struct {
	JSON  bool   `help:"Machine-readable: the result as JSON on standard output, progress and errors as JSON lines on standard error."`
	Cache string `help:"Folder of the content-addressed cache (default: $$XDG_CACHE_HOME/caisson)." type:"path" env:"CAISSON_CACHE"`

	Validate validateCmd `cmd:"" help:"Check a Spec at the desk: every mistake at once, with its YAML path."`
	Lock     lockCmd     `cmd:"" help:"Pin every input of a Spec to its digest (the only step that asks the network what exists)."`
	Pull     pullCmd     `cmd:"" help:"Fetch and compile what the Lock names into the cache; run again to go on."`
	Build    buildCmd    `cmd:"" help:"Build the installer ISO (locks and pulls when needed)."`
	Inspect  inspectCmd  `cmd:"" help:"Say what is on an ISO: sizes, digests, versions, images."`
	Verify   verifyCmd   `cmd:"" help:"Check every file of an ISO against its manifest."`
	Render   renderCmd   `cmd:"" help:"Print a node's Ignition config."`
	Answers  answersCmd  `cmd:"" help:"Write an answer file onto a small medium labelled CAISSON, for an install with nobody present."`
	Boot     bootCmd     `cmd:"" help:"Boot an ISO in QEMU, for a person to try."`
	Explain  explainCmd  `cmd:"" help:"Print the page of an error code."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

// run is what every command gets.
type run struct {
	ctx    context.Context
	out    io.Writer
	report *progress.Reporter
	json   bool
	cache  string
}

// print shows a result: text for people, v as JSON under --json.
func (r *run) print(v any, text string) error {
	r.report.Close()
	if !r.json {
		_, err := io.WriteString(r.out, text)
		return err
	}
	b, err := canon.JSON(v)
	if err == nil {
		_, err = r.out.Write(b)
	}
	return err
}

// Main runs the program and returns its exit status.
func Main(args []string, out, errw io.Writer) (status int) {
	var c commands
	exited := -1
	parser, err := kong.New(&c, kong.Name("caisson"),
		kong.Description("Kubernetes where no network reaches: one YAML file in, one bootable installer ISO out."),
		kong.Writers(out, errw), kong.Exit(func(code int) { exited = code; panic(exitNow{}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 79}))
	if err != nil {
		fmt.Fprintln(errw, err)
		return int(fault.Internal)
	}
	defer func() {
		if p := recover(); p != nil {
			if _, ours := p.(exitNow); !ours {
				panic(p)
			}
			status = exited
		}
	}()
	k, err := parser.Parse(args)
	if err != nil {
		return fail(errw, slices.Contains(args, "--json"), cli.BadUsage.New("cannot read the command line: %w", err).Hint("caisson --help"))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r := &run{ctx: ctx, out: out, report: progress.New(errw, c.JSON), json: c.JSON, cache: c.Cache}
	if r.cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return fail(errw, c.JSON, err)
		}
		r.cache = filepath.Join(dir, "caisson")
	}
	err = k.Run(r)
	if err != nil && ctx.Err() != nil && !stopped.Is(err) {
		err = stopped.New("cannot finish: interrupted").Hint("run the same command again; it goes on where it was")
	}
	if err != nil {
		r.report.Close()
		return fail(errw, c.JSON, err)
	}
	return 0
}

type exitNow struct{}

// fail prints an error and gives its exit status. Joined errors are all shown.
func fail(w io.Writer, asJSON bool, err error) int {
	faults := topFaults(err)
	if asJSON {
		for _, f := range faults {
			b, _ := json.Marshal(map[string]any{"name": "error", "source": "caisson", "code": f.Code, "message": f.What, "hints": f.Hints})
			fmt.Fprintf(w, "%s\n", b)
		}
		if len(faults) == 0 {
			b, _ := json.Marshal(map[string]any{"name": "error", "source": "caisson", "message": err.Error()})
			fmt.Fprintf(w, "%s\n", b)
		}
		return fault.ExitStatus(err)
	}
	if len(faults) == 0 {
		fmt.Fprintf(w, "caisson: %v\n", err)
		return fault.ExitStatus(err)
	}
	for _, f := range faults {
		fmt.Fprintf(w, "%v\n", f)
	}
	fmt.Fprintf(w, "more: caisson explain %s\n", faults[0].Code)
	return fault.ExitStatus(err)
}

// topFaults is the faults to show: those joined beside each other, not the
// causes that their text already holds.
func topFaults(err error) []*fault.Fault {
	var f *fault.Fault
	switch e := err.(type) {
	case nil:
		return nil
	case *fault.Fault:
		return []*fault.Fault{e}
	case interface{ Unwrap() []error }:
		var out []*fault.Fault
		for _, one := range e.Unwrap() {
			out = append(out, topFaults(one)...)
		}
		return out
	default:
		if errors.As(err, &f) {
			return []*fault.Fault{f}
		}
		return nil
	}
}

type versionCmd struct{}

func (versionCmd) Run(r *run) error {
	return r.print(map[string]string{"version": version.Version}, "caisson "+version.Version+"\n")
}
