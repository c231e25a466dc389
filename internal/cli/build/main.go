// Package build is the command line of `caisson`: it reads flags, calls one
// arrow of the flow after another (internal/assemble) and prints. It decides
// nothing about media, plans or nodes. Results go to standard output, progress
// and errors to standard error; the exit status is the fault's class.
package build

import (
	"context"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"

	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/cli"
	"caisson.dev/caisson/internal/progress"
	"caisson.dev/caisson/internal/version"
)

type commands struct {
	JSON  bool   `help:"Machine-readable: the result as JSON on standard output, progress and errors as JSON lines on standard error."`
	Cache string `help:"Folder of the content-addressed cache (default: $$XDG_CACHE_HOME/caisson)." type:"path" env:"CAISSON_CACHE"`

	Validate validateCmd `cmd:"" help:"Check a Spec at the desk: every mistake at once, with its YAML path."`
	Secrets  secretsCmd  `cmd:"" help:"Make the cluster's CAs and keys, sealed with a passphrase, for secrets.sealed in the Spec."`
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

// Main runs the program and returns its exit status. An interrupt ends it.
func Main(args []string, out, errw io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return mainUnder(ctx, args, out, errw)
}

func mainUnder(ctx context.Context, args []string, out, errw io.Writer) int {
	// Asked of the words themselves, because the command line may be the error.
	say := speak(errw, slices.Contains(args, "--json"))
	status, err := command(ctx, args, out, &say)
	if err != nil {
		return say.failed(err)
	}
	say.ok(status)
	return status
}

// command runs the command that args name. status is that of kong, which ends
// the program itself after --help.
func command(ctx context.Context, args []string, out io.Writer, say *say) (status int, err error) {
	var c commands
	parser, err := kong.New(&c, kong.Name("caisson"),
		kong.Description("Kubernetes where no network reaches: one YAML file in, one bootable installer ISO out."),
		kong.Writers(out, say.w), kong.Exit(func(code int) { status = code; panic(exitNow{}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 79}))
	if err != nil {
		return 0, err
	}
	defer func() {
		if p := recover(); p != nil {
			if _, ours := p.(exitNow); !ours {
				panic(p)
			}
		}
	}()
	k, err := parser.Parse(args)
	if err != nil {
		return 0, cli.BadUsage.New("cannot read the command line: %w", err).Hint("caisson --help")
	}
	*say = speak(say.w, c.JSON)
	if c.Cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return 0, err
		}
		c.Cache = filepath.Join(dir, "caisson")
	}
	r := &run{ctx: ctx, out: out, json: c.JSON, cache: c.Cache}
	if c.JSON {
		r.report = progress.Events(say.sink)
	} else {
		r.report = progress.New(say.w)
	}
	defer r.report.Close()
	if err = k.Run(r); interrupted(ctx, err) {
		err = stopped.New("cannot finish: %w", context.Cause(ctx)).Hint("run the same command again; it goes on where it was")
	}
	return 0, err
}

type exitNow struct{}

type versionCmd struct{}

func (versionCmd) Run(r *run) error {
	return r.print(map[string]string{"version": version.Version}, "caisson "+version.Version+"\n")
}
