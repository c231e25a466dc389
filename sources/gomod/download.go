package gomod

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/fetch"
)

// A module proxy can accept a request and never answer (seen: fifteen minutes of
// silence on one reply), and the go command sets no limit. What was downloaded
// stays in the module cache, so that each try begins where the last one hung.
const downloadLimit = 5 * time.Minute

// passing are the words of the go command for trouble that may be over soon: a
// proxy's own errors (500 and above, too many requests) and broken connections.
var passing = regexp.MustCompile(`: (5\d\d|408|429) [A-Z]|connection re(set|fused)|broken pipe|unexpected EOF|: EOF|(i/o|handshake) timeout|Timeout exceeded|` +
	`stream error|GOAWAY|server misbehaving|Temporary failure in name resolution`)

// patiently runs a go command that may fetch modules and compiles nothing. One
// that takes longer than the limit is ended; it is run again after that, and
// after trouble that may pass.
func (t tools) patiently(ctx context.Context, run func(ctx context.Context) (said string, err error)) (said string, err error) {
	err = t.client.Repeat(ctx, func() (bool, error) {
		limited, cancel := context.WithTimeout(ctx, t.limit)
		defer cancel()
		var err error
		said, err = run(limited)
		switch {
		case err == nil:
			return false, nil
		case limited.Err() != nil:
			return false, fmt.Errorf("no end after %v: %w", t.limit, err)
		case passing.MatchString(said):
			return false, err
		}
		return false, fetch.Permanent(err)
	})
	return said, err
}

// download runs a go command that may fetch modules.
func (t tools) download(ctx context.Context, dir string, m bundle.ModuleWant, args ...string) (said string, err error) {
	return t.patiently(ctx, func(ctx context.Context) (string, error) { return t.run(ctx, dir, m, nil, args...) })
}

// downloadMod is the path of the module's own go.mod in the module cache.
func (t tools) downloadMod(ctx context.Context, dir string, m bundle.ModuleWant) (string, error) {
	var answer struct{ GoMod, Error string }
	said, err := t.patiently(ctx, func(ctx context.Context) (string, error) {
		var out, errs bytes.Buffer
		cmd := t.command(ctx, dir, m, "mod", "download", "-json", m.Path+"@"+m.Version)
		cmd.Stdout, cmd.Stderr = &out, &errs
		err := cmd.Run()
		answer.GoMod, answer.Error = "", ""
		switch jerr := json.Unmarshal(out.Bytes(), &answer); {
		case jerr != nil:
			return errs.String(), errors.Join(err, jerr)
		case answer.Error != "":
			return answer.Error, errors.Join(err, errors.New(answer.Error))
		case answer.GoMod == "":
			return errs.String(), errors.Join(err, errors.New("no go.mod named in the answer"))
		}
		return "", nil
	})
	if err != nil {
		return "", unresolved(ctx, m, said, err)
	}
	return answer.GoMod, nil
}

// unresolved says why the module, or one it needs, is not to be had.
func unresolved(ctx context.Context, m bundle.ModuleWant, said string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if said = strings.TrimSpace(said); said == "" && err != nil {
		said = err.Error()
	}
	if gaveUp := new(fetch.GaveUp); errors.As(err, &gaveUp) {
		said = gaveUp.Error() + "\n" + said
	}
	if full := diskFull("resolve", m, said); full != nil {
		return full
	}
	return ModuleUnresolved.New("cannot resolve module %s %s:\n%s", m.Path, m.Version, said).
		Hint("check the path and version, and that a Go module proxy is reached (go env GOPROXY)")
}

// diskFull recognises a full disk in the go command's words; nil for others. The
// disk may be that of the store, of the build cache or of the module cache.
func diskFull(do string, m bundle.ModuleWant, said string) error {
	for line := range strings.Lines(said) {
		if strings.Contains(line, "no space left on device") || strings.Contains(line, "disk quota exceeded") {
			return bundle.DiskFull.New("cannot %s %s %s: have no space left, need more: %s", do, m.Path, m.Version, strings.TrimSpace(line)).
				Hint("free space on the disk of that path; Go's caches lie where go env GOCACHE GOMODCACHE says, its work in TMPDIR and in the store")
		}
	}
	return nil
}
