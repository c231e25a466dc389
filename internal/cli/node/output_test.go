package node

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/system"
)

// System runs programs that have something to say.
func (b *bench) System(log io.Writer) system.System {
	_, _ = io.WriteString(log, "words of a program\n")
	return b.sys
}

func TestVerify(t *testing.T) {
	dir := medium(t, map[string]string{"caisson/note": "x"})
	b := newBench(t)
	if status, out, errs := b.run("verify", "--medium", dir); status != 0 || !strings.Contains(out, "every byte") || strings.Contains(out, "done") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	spoil(t, dir)
	if status, out, errs := b.run("verify", "--medium", dir); status != 5 || !strings.Contains(errs, "caisson/extra") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
}

// spoil adds a file that the manifest does not name.
func spoil(t *testing.T, dir string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "caisson/extra"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestDryRun(t *testing.T) {
	b := newBench(t)
	b.second = installtest.Answers
	dir := medium(t, nil)
	status, out, errs := b.run("install", "--dry-run", "--medium", dir)
	if status != 0 || !strings.Contains(out, " 13. Write the partition table to /dev/disk/by-id/virtio-D1") || len(b.sys.Calls) > 0 || b.port.Len() > 0 {
		t.Errorf("status %d, calls %v, events %s\n%s%s", status, b.sys.Calls, b.port.String(), out, errs)
	}
	for _, want := range []string{"checking the medium at " + dir + "\n", "   100 %  ", "medium demo-", "answers from "} {
		if !strings.Contains(errs, want) || strings.Contains(out, want) {
			t.Errorf("%q is not beside the plan, or in it:\n%s\nbeside:\n%s", want, out, errs)
		}
	}
	status, out, errs = b.run("install", "--dry-run", "--json", "--medium", dir)
	if status != 0 || !json.Valid([]byte(out)) || !strings.Contains(out, `"kind": "activate"`) || !strings.Contains(errs, "100 %") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
}

// stream reads output that must be events alone, numbered, with "done" at the end.
func stream(t *testing.T, out string) (all []event.Event, done event.Event) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(out))
	dec.DisallowUnknownFields()
	for {
		var e event.Event
		if err := dec.Decode(&e); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("not a stream of events: %v\n%s", err, out)
		}
		if all = append(all, e); e.Seq != len(all) {
			t.Errorf("event %d is %+v", len(all), e)
		}
	}
	if len(all) == 0 || all[len(all)-1].Name != "done" || strings.Count(out, `"name":"done"`) != 1 {
		t.Fatalf("the stream does not end with one done:\n%s", out)
	}
	return all, all[len(all)-1]
}

// TestJSONOutput: under --json the output is JSON alone, and a stream tells its
// end and how it ended.
func TestJSONOutput(t *testing.T) {
	whole, spoiled := medium(t, nil), medium(t, nil)
	spoil(t, spoiled)
	for _, c := range []struct {
		name, args   string
		second       string
		status       int
		result, code string
	}{
		{"verify", "verify --medium " + whole, "", 0, "ok", ""},
		{"verify, a foreign file", "verify --medium " + spoiled, "", 5, "failed", "MEDIA-EXTRA-FILE"},
		{"status, not installed", "status", "", 7, "failed", "NODE-FILES"},
		{"check, not installed", "check cis", "", 7, "failed", "NODE-FILES"},
		{"ready, not installed", "ready", "", 7, "failed", "NODE-FILES"},
		{"dry run, a foreign file", "install --dry-run --medium " + spoiled, "", 5, "failed", "MEDIA-EXTRA-FILE"},
		{"dry run, no answers", "install --dry-run --medium " + whole, "", 3, "failed", "ANSWERS-NONE"},
		{"install", "install --medium " + whole, installtest.Answers, 0, "ok", ""},
		{"install, nobody is asked", "install --medium " + whole, strings.Split(installtest.Answers, "confirm:")[0], 3, "failed", "ERASE-NOT-CONFIRMED"},
		{"a flag that is not there", "install --force", "", 2, "failed", "USAGE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.second = c.second
			status, out, errs := b.run(append(strings.Fields(c.args), "--json")...)
			all, done := stream(t, out)
			if status != c.status || done.Data["result"] != c.result || done.Code != c.code {
				t.Errorf("status %d, done %+v, want %d, %s %s\n%s", status, done, c.status, c.result, c.code, errs)
			}
			if c.code == "" {
				return
			}
			if last := all[max(0, len(all)-2)]; last.Name != "error" || last.Code != c.code || !strings.Contains(errs, c.code) {
				t.Errorf("before done came %+v; for people:\n%s", last, errs)
			}
		})
	}
}

// TestPersonIsAsked: without --json a person may give the consent.
func TestPersonIsAsked(t *testing.T) {
	b := newBench(t)
	b.second = strings.Split(installtest.Answers, "confirm:")[0]
	var out bytes.Buffer
	r := &run{ctx: t.Context(), in: strings.NewReader("serial:D1\n"), out: &out, errw: &out, root: b.scratch, now: b.now, env: b}
	if status := execute([]string{"install", "--medium", medium(t, nil)}, r); status != 0 || !strings.Contains(out.String(), "type its consent") {
		t.Errorf("status %d\n%s", status, out.String())
	}
}

func TestArgument(t *testing.T) {
	line := `root=live:CDLABEL=X caisson.node=a "caisson.node=b" caisson.erase="any-blank" caisson.live caisson.nodes=z`
	if got := argument(line, "caisson.erase"); got != "any-blank" {
		t.Errorf("caisson.erase is %q", got)
	}
	if got := argument(line, "caisson.node"); got != "a" {
		t.Errorf("caisson.node is %q", got)
	}
	if !live(line) || live("caisson.lives") || argument(line, "caisson.answers") != "" {
		t.Error("words of the kernel line are confused")
	}
}
