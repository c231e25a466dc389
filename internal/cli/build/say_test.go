package build

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/iso/iso9660"
)

// events reads a stream and checks its numbers and stamps.
func events(t *testing.T, b []byte) []event.Event {
	t.Helper()
	var out []event.Event
	for line := range strings.Lines(string(b)) {
		var e event.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		if out = append(out, e); e.Seq != len(out) || e.Source != "caisson" || e.Time == "" {
			t.Errorf("line %d is %+v", len(out), e)
		}
	}
	return out
}

func TestJoinedErrorsAreAllShown(t *testing.T) {
	err := fmt.Errorf("around: %w", errors.Join(
		unreadable.New("cannot read one").Hint("look"), errors.Join(unreadable.New("cannot read two: %w", unknownCode.New("a cause"))), errors.New("and 3 more")))
	joined := errors.Unwrap(err)
	var text, stream bytes.Buffer
	if status := speak(&text, false).failed(joined); status != int(fault.Input) {
		t.Errorf("have exit status %d, want %d", status, fault.Input)
	}
	const want = "FILE-UNREADABLE: cannot read one\nhint: look\nFILE-UNREADABLE: cannot read two: CODE-UNKNOWN: a cause\nand 3 more\nmore: caisson explain FILE-UNREADABLE\n"
	if text.String() != want {
		t.Errorf("have\n%swant\n%s", &text, want)
	}
	speak(&stream, true).failed(joined)
	got := events(t, stream.Bytes())
	if len(got) != 4 || got[0].Code != "FILE-UNREADABLE" || got[2].Code != "" || got[2].Message != "and 3 more" ||
		got[3].Name != "done" || got[3].Code != "FILE-UNREADABLE" || got[3].Data["result"] != "failed" {
		t.Errorf("have %+v", got)
	}
	text.Reset()
	if status := speak(&text, false).failed(io.ErrUnexpectedEOF); status != 1 || text.String() != "caisson: unexpected EOF\n" {
		t.Errorf("have exit status %d, %q", status, &text)
	}
}

// TestInterruptedHidesNoError: only the end of the context becomes STOPPED.
func TestInterruptedHidesNoError(t *testing.T) {
	cause := errors.New("interrupt signal received")
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	full := bundle.DiskFull.New("cannot write: %w", os.ErrPermission)
	for _, tt := range []struct {
		name string
		ctx  context.Context
		err  error
		want bool
	}{
		{"nothing", ended, nil, false},
		{"the context's error", ended, context.Canceled, true},
		{"its cause, in words", ended, fmt.Errorf("cannot fetch: %w", cause), true},
		{"within a fault", ended, unreadable.New("cannot read: %w", context.Canceled), true},
		{"a real error", ended, full, false},
		{"a real error beside it", ended, errors.Join(context.Canceled, full), false},
		{"twice", ended, errors.Join(context.Canceled, cause), true},
		{"said better already", ended, bundle.Interrupted.New("cannot finish: %w", cause), false},
		{"somebody else's context", t.Context(), context.Canceled, false},
	} {
		if got := interrupted(tt.ctx, tt.err); got != tt.want {
			t.Errorf("%s: have %v, want %v", tt.name, got, tt.want)
		}
	}
}

// plainISO is the installer's test medium without anything that boots.
func plainISO(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := installtest.Medium(dir, installtest.OSImage(8192), nil); err != nil {
		t.Fatal(err)
	}
	v := iso9660.Volume{Label: "PLAIN", Epoch: 1790000000}
	err := fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		v.Entries = append(v.Entries, iso9660.Entry{Path: p, Size: info.Size()})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	layout, err := iso9660.Plan(v)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "plain.iso"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = layout.Write(t.Context(), f, iso9660.Content{Source: func(p string) (iso9660.Source, error) {
		return iso9660.Source{Open: func() (io.ReadCloser, error) { return os.Open(filepath.Join(dir, p)) }}, nil
	}}, iso9660.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// TestStoppedExitStatus: interrupted work ends with the class of its own.
func TestStoppedExitStatus(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(t.TempDir(), "caisson.yaml")
	if err := os.WriteFile(path, []byte(installtest.Spec), 0o600); err != nil {
		t.Fatal(err)
	}
	cache, bin := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "qemu-system-x86_64"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	for _, tt := range []struct {
		code string
		args []string
	}{
		{"INTERRUPTED", []string{"verify", plainISO(t)}},
		{"INTERRUPTED", []string{"lock", path}},
		{"STOPPED", []string{"boot", "--serial", "--firmware=bios", plainISO(t)}},
	} {
		var out, errs bytes.Buffer
		status := mainUnder(ended, append([]string{"--json", "--cache", cache}, tt.args...), &out, &errs)
		got := events(t, errs.Bytes())
		if last := got[len(got)-1]; status != int(fault.Stopped) || out.Len() > 0 || last.Name != "done" || last.Code != tt.code {
			t.Errorf("%s: have exit status %d, %q and\n%s", tt.code, status, &out, &errs)
		}
	}
	var out, errs bytes.Buffer
	if status := mainUnder(t.Context(), []string{"--json", "verify", plainISO(t)}, &out, &errs); status != 0 || !strings.Contains(out.String(), `"intact": true`) {
		t.Errorf("have exit status %d, %s%s", status, &out, &errs)
	}
	got := events(t, errs.Bytes())
	if len(got) < 2 || got[0].Name != "progress" || got[len(got)-1].Data["result"] != "ok" {
		t.Errorf("have %s, want progress and an end", &errs)
	}
}

func TestShellLine(t *testing.T) {
	got := shellLine([]string{"/usr/bin/qemu", "type=1,a b", "it's", "", "a=b,c:d"})
	if want := `/usr/bin/qemu 'type=1,a b' 'it'\''s' '' a=b,c:d`; got != want {
		t.Errorf("have %s, want %s", got, want)
	}
}
