package gomod

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"

	"caisson.dev/caisson/bundle"
)

// Collect compiles the pinned programs into the store: artifacts
// "<want>/<program>", mode 0755. What was compiled before from the same pin,
// with the same compiler, is taken from the store.
func (s Source) Collect(ctx context.Context, p bundle.Pin, store *bundle.Store, progress bundle.Progress) ([]bundle.Artifact, error) {
	t, err := s.find(ctx)
	if err != nil {
		return nil, err
	}
	m := *p.Want.Module
	if t.version != p.Module.Toolchain {
		return nil, GoDifferent.New("cannot compile %s: have %s, need %s as locked", p.Want.Name, t.version, p.Module.Toolchain).
			Hint("install that version of Go, or lock again with caisson lock --update")
	}
	if m.Cgo {
		if err := t.findCC(ctx); err != nil {
			return nil, err
		}
	}
	key, err := keyOf(p, t)
	if err != nil {
		return nil, err
	}
	if done, ok := store.Memo(key); ok {
		return done, nil
	}
	// One compile at a time, whoever asks: each uses all processors itself.
	unlock, err := store.Lock(ctx, "compile")
	if err != nil {
		return nil, err
	}
	defer unlock()
	if done, ok := store.Memo(key); ok {
		return done, nil
	}
	artifacts, err := s.compile(ctx, p, t, store, progress)
	if err != nil {
		return nil, err
	}
	return artifacts, store.SetMemo(key, artifacts)
}

func (s Source) compile(ctx context.Context, p bundle.Pin, t tools, store *bundle.Store, progress bundle.Progress) ([]bundle.Artifact, error) {
	m := *p.Want.Module
	dir, err := store.TempDir("compile")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{"go.mod": p.Module.GoMod, "go.sum": p.Module.GoSum} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, store.DiskFault(err, int64(len(text)))
		}
	}
	beat := &heartbeat{name: p.Want.Name, progress: progress, every: s.Every}
	defer beat.end()
	for _, b := range builds(m) {
		// First what the build needs, so that a compile never waits for a proxy.
		list := append(append([]string{"list", "-deps"}, t.flags(m)...), b.packages...)
		if said, err := t.download(ctx, dir, m, list...); err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if full := diskFull("fetch what is needed by", m, said); full != nil {
				return nil, full
			}
			return nil, CompileFailed.New("cannot fetch what %s of %s %s needs: %w\n%s", b, m.Path, m.Version, err, said).
				Hint("check that a Go module proxy is reached (go env GOPROXY)")
		}
		args := append([]string{"build", "-v"}, t.flags(m)...)
		args = append(append(args, "-o", b.out), b.packages...)
		if said, err := t.run(ctx, dir, m, beat, args...); err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if full := diskFull("compile", m, said); full != nil {
				return nil, full
			}
			return nil, CompileFailed.New("cannot compile %s of %s %s: %w\n%s", b, m.Path, m.Version, err, said).
				Hint("if a C library is missing, install its -dev package")
		}
	}
	beat.done()
	var artifacts []bundle.Artifact
	for _, program := range programs(m) {
		d, n, err := store.Adopt(ctx, filepath.Join(dir, "bin", program), "")
		if err != nil {
			return nil, err
		}
		artifacts = append(artifacts, bundle.Artifact{Name: p.Want.Name + "/" + program, Digest: d, Size: n, Mode: 0o755,
			Source: purl(m, m.Programs[program])})
	}
	return artifacts, nil
}

// build is one call of go build.
type build struct {
	out      string // folder (trailing slash) or file
	packages []string
}

func (b build) String() string { return fmt.Sprint(b.packages) }

// builds groups the programs: all whose name is the one that go build itself
// would choose are linked in one call, side by side; the others one by one.
func builds(m bundle.ModuleWant) []build {
	together := build{out: "bin/"}
	var out []build
	for _, program := range programs(m) {
		pkg := m.Programs[program]
		if path.Base(pkg) == program && !isVersion(program) {
			together.packages = append(together.packages, pkg)
			continue
		}
		out = append(out, build{out: "bin/" + program, packages: []string{pkg}})
	}
	if len(together.packages) > 0 {
		out = append([]build{together}, out...)
	}
	return out
}

// isVersion tells a major version element (v2), which go build leaves out of
// the name that it chooses.
func isVersion(s string) bool {
	return len(s) > 1 && s[0] == 'v' && s[1] >= '0' && s[1] <= '9'
}

// heartbeat turns go build -v's lines, one for each package, into progress: a
// compile of Kubernetes takes many minutes, and silence looks like a hang.
// Nothing tells how many packages are still to come, so there is no total. The
// package is the step that the one piece of work is at.
type heartbeat struct {
	name     string
	progress bundle.Progress
	every    time.Duration

	mu    sync.Mutex
	rest  []byte
	pkg   string
	count int64
	ticks *time.Ticker
	quit  chan struct{} // closed to end the beat
	ended chan struct{} // closed when it has ended
}

func (h *heartbeat) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.start()
	h.rest = append(h.rest, p...)
	for {
		line, rest, ok := bytes.Cut(h.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		if len(line) > 0 {
			h.pkg = string(line)
			h.count++
		}
		h.rest = rest
	}
}

// start begins the beat with the first line; called with mu held.
func (h *heartbeat) start() {
	if h.quit != nil || h.progress == nil {
		return
	}
	if h.every == 0 {
		h.every = 10 * time.Second
	}
	h.ticks, h.quit, h.ended = time.NewTicker(h.every), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(h.ended)
		for {
			select {
			case <-h.ticks.C:
				h.mu.Lock()
				text, n := h.name+": compiling "+h.pkg, h.count
				h.mu.Unlock()
				h.progress(text, n, 0)
			case <-h.quit:
				return
			}
		}
	}()
}

// end is called when nothing writes any more; no progress comes after it.
func (h *heartbeat) end() {
	if h.quit == nil {
		return
	}
	h.ticks.Stop()
	close(h.quit)
	<-h.ended
	h.quit = nil
}

// done ends the beat with the number of packages as the whole.
func (h *heartbeat) done() {
	if h.end(); h.count > 0 && h.progress != nil {
		h.progress(h.name, h.count, h.count)
	}
}
