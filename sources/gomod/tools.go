package gomod

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/fetch"
)

// tools is the go command with an environment in which nothing of the person's
// own settings changes what is compiled; only where modules come from and where
// caches lie is theirs.
type tools struct {
	goCmd   string
	version string // go1.26.8
	env     []string
	client  *fetch.Client
	limit   time.Duration
	cc      string // first line of the C compiler's --version, when cgo was asked for
	ccCmd   string
}

// theirs are the go command's settings that are kept: they choose servers,
// credentials and folders, never bytes (go.sum decides those).
var theirs = []string{"GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOINSECURE", "GOAUTH",
	"GOVCS", "GOPATH", "GOMODCACHE", "GOCACHE", "GOROOT"}

// passed are environment variables handed on as they are.
var passed = []string{"PATH", "HOME", "TMPDIR", "NETRC", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"}

// Shared keeps what was found of the go command for all calls of one run: asking
// it takes longer than all the rest of a build with nothing to do.
type Shared struct {
	once  sync.Once
	tools tools
	err   error
}

// find looks at the go command, once for all who share a Shared.
func (s Source) find(ctx context.Context) (tools, error) {
	if s.Shared == nil {
		return s.look(ctx)
	}
	s.Shared.once.Do(func() { s.Shared.tools, s.Shared.err = s.look(ctx) })
	return s.Shared.tools, s.Shared.err
}

// look asks the go command for its settings.
func (s Source) look(ctx context.Context) (tools, error) {
	t := tools{goCmd: s.Go, client: s.Fetch, limit: s.Limit}
	if t.goCmd == "" {
		t.goCmd = "go"
	}
	if t.client == nil {
		t.client = fetch.Default()
	}
	if t.limit == 0 {
		t.limit = downloadLimit
	}
	// In the Store's folder, so that no go.mod or go.work of the person's own
	// has a say.
	dir, err := s.Store.TempDir("go-env")
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.CommandContext(ctx, t.goCmd, append([]string{"env", "-json", "GOVERSION", "CC"}, theirs...)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOTOOLCHAIN=local", "GOWORK=off", "GOFLAGS=")
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return t, GoMissing.New("cannot compile Go modules: have no command %q, need Go", t.goCmd).
			Hint("install Go (go.dev/doc/install), then run again")
	}
	if err != nil {
		return t, err
	}
	var settings map[string]string
	if err := json.Unmarshal(out, &settings); err != nil {
		return t, err
	}
	t.version, t.ccCmd = strings.Fields(settings["GOVERSION"] + " ")[0], settings["CC"]
	for _, name := range passed {
		if v, ok := os.LookupEnv(name); ok {
			t.env = append(t.env, name+"="+v)
		}
	}
	for _, name := range theirs {
		if v := settings[name]; v != "" {
			t.env = append(t.env, name+"="+v)
		}
	}
	return t, nil
}

// language is the go line of the throw-away module: the toolchain's release
// without its patch level, so that a security release changes no semantics.
func (t tools) language() string {
	v := strings.TrimPrefix(t.version, "go")
	parts := strings.SplitN(v, ".", 3)
	if len(parts) < 2 {
		return v
	}
	return parts[0] + "." + parts[1] + ".0"
}

// findCC names the C compiler, for programs that need cgo.
func (t *tools) findCC(ctx context.Context) error {
	words := strings.Fields(t.ccCmd)
	if len(words) == 0 {
		words = []string{"cc"}
	}
	out, err := exec.CommandContext(ctx, words[0], "--version").Output()
	if err != nil {
		return CCMissing.New("cannot compile with cgo: have no working C compiler %q, need one: %w", words[0], err).
			Hint("on Debian: apt-get install gcc libc6-dev, and the -dev packages of the C libraries used")
	}
	first, _, _ := strings.Cut(string(out), "\n")
	t.cc = strings.TrimSpace(first)
	return nil
}

// fixedEnv is what decides the bytes, always the same.
func (t tools) fixedEnv(m bundle.ModuleWant) []string {
	cgo := "CGO_ENABLED=0"
	if m.Cgo {
		cgo = "CGO_ENABLED=1"
	}
	return []string{"GOENV=off", "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local", "GO111MODULE=on",
		"GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "GOEXPERIMENT=", "GOFIPS140=off", "LC_ALL=C", cgo}
}

// flags are go build's, without output and packages. They must not differ
// between two runs for one pin: the build cache and the memo both hang on them.
func (t tools) flags(m bundle.ModuleWant) []string {
	flags := []string{"-trimpath", "-mod=readonly", "-buildvcs=false",
		"-ldflags", strings.Join(append([]string{"-s", "-w"}, m.LDFlags...), " ")}
	if len(m.Tags) > 0 {
		flags = append(flags, "-tags", strings.Join(m.Tags, ","))
	}
	return flags
}

// command is the go command in dir.
func (t tools) command(ctx context.Context, dir string, m bundle.ModuleWant, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, t.goCmd, args...)
	cmd.Dir, cmd.Env = dir, append(append([]string{}, t.env...), t.fixedEnv(m)...)
	if m.Cgo && t.ccCmd != "" {
		cmd.Env = append(cmd.Env, "CC="+t.ccCmd)
	}
	// The go command ends its compilers on SIGINT; a kill would leave them behind.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	return cmd
}

// run runs the go command in dir and gives the end of what it said. Lines goes
// to lines (may be nil) as they come.
func (t tools) run(ctx context.Context, dir string, m bundle.ModuleWant, lines io.Writer, args ...string) (string, error) {
	var said tail
	cmd := t.command(ctx, dir, m, args...)
	var out io.Writer = &said
	if lines != nil {
		out = io.MultiWriter(&said, lines)
	}
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	return said.String(), err
}

// tail keeps the last lines of a long output.
type tail struct{ b []byte }

const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if over := len(t.b) - tailSize; over > 0 {
		t.b = t.b[over:]
		if i := bytes.IndexByte(t.b, '\n'); i >= 0 {
			t.b = t.b[i+1:]
		}
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.b)) }
