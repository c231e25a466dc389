package node

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/spec"
	"caisson.dev/caisson/tui"
)

func newHost(t *testing.T, b *bench) *host {
	t.Helper()
	var out bytes.Buffer
	r := &run{ctx: t.Context(), in: strings.NewReader(""), out: &out, errw: &out, root: b.scratch, now: b.now, env: b}
	c := installCmd{Medium: medium(t, nil), Screens: true}
	return &host{c: c, r: r, v: r.voiceOf("installer", plain(r.errw, r.now))}
}

// TestHostLeadsToANode goes the way of the screens: check, plan, agree, install.
func TestHostLeadsToANode(t *testing.T) {
	b := newBench(t)
	b.stick = t.TempDir()
	h := newHost(t, b)
	var last, all int64
	facts, err := h.Verify(t.Context(), func(done, total int64) { last, all = done, total })
	if err != nil {
		t.Fatal(err)
	}
	if last != all || all == 0 || facts.Release != "demo-0123456789ab" || facts.Node != "" || facts.Needs[spec.Worker].CPUs == 0 {
		t.Errorf("have %d of %d bytes and %+v", last, all, facts)
	}
	for path, why := range facts.Refused {
		t.Errorf("disk %s is refused: %s", path, why)
	}
	answers := spec.Answers{APIVersion: spec.APIVersion, Kind: spec.KindAnswers, Name: "node7", Role: spec.ControlPlane,
		Disk: spec.Disk{Serial: "D1"}, Network: spec.NodeNetwork{Interface: "none", Address: "10.20.0.17/24"}, After: "poweroff"}
	p, err := h.Plan(answers)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Install(t.Context(), p, "serial:D9", event.Discard); err == nil || !strings.Contains(err.Error(), "ERASE-MISMATCH") {
		t.Errorf("consent for another disk: have %v", err)
	}
	if len(b.sys.Calls) > 0 {
		t.Fatalf("the disk was touched without consent: %v", b.sys.Calls)
	}
	steps := 0
	res, err := h.Install(t.Context(), p, "serial:D1", func(e event.Event) {
		if e.Name == "step" {
			steps++
		}
	})
	if err != nil || steps != len(p.Steps) || res.Address != "10.20.0.17/24" || !strings.HasPrefix(string(res.Record), "sha256:") {
		t.Errorf("have %v, %d steps of %d, %+v", err, steps, len(p.Steps), res)
	}
	events := b.events()
	if last := events[len(events)-1]; last.Name != "done" || last.Data["result"] != "ok" || last.Data["node"] != "node7" {
		t.Errorf("have %+v last on the port, want done (ok)", last)
	}
	where, err := h.SaveAnswers(t.Context(), answers)
	if err != nil || where != "answers.yaml on a stick" {
		t.Errorf("have %q, %v", where, err)
	}
	raw, err := os.ReadFile(filepath.Join(b.stick, "answers.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if back, err := spec.ParseAnswers(raw); err != nil || back.Name != "node7" || back.Confirm.Erase != "" {
		t.Errorf("have %+v, %v", back, err)
	}
	if _, err := h.SupportBundle(t.Context()); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(b.stick)
	if err != nil || len(entries) != 2 {
		t.Errorf("have %v on the stick, want answers and bundle and nothing half-written", entries)
	}
	b.stick = ""
	if _, err := h.SaveAnswers(t.Context(), answers); !StickMissing.Is(err) {
		t.Errorf("have %v, want STICK-MISSING", err)
	}
	if err := h.SetClock(b.now()); !ClockRefused.Is(err) {
		t.Errorf("have %v, want CLOCK-REFUSED", err)
	}
}

// TestAsks: a person is asked only if nobody has answered.
func TestAsks(t *testing.T) {
	for _, tt := range []struct {
		name    string
		cmdline string
		second  string
		carried map[string]string
		want    bool
	}{
		{"nothing", "caisson.live", "", nil, true},
		{"a second medium", "caisson.live", "kind: Answers", nil, false},
		{"answers on the medium", "caisson.live", "", map[string]string{onMedium: "kind: Answers"}, false},
		{"a node on the command line", "caisson.node=node1", "", nil, false},
		{"consent on the command line", "caisson.erase=any", "", nil, false},
		{"screens switched off", "caisson.tui=off", "", nil, false},
		{"screens changed", "caisson.tui=mono,large", "", nil, true},
	} {
		b := newBench(t)
		b.cmdline, b.second = tt.cmdline, tt.second
		c := installCmd{Medium: medium(t, tt.carried)}
		if have := c.asks(&run{env: b}); have != tt.want {
			t.Errorf("%s: have %v, want %v", tt.name, have, tt.want)
		}
	}
}

func TestFirstSight(t *testing.T) {
	dir := medium(t, nil)
	m, err := firstSight(os.DirFS(dir))
	if err != nil || m.Enclave != "demo" || m.Release != "demo-0123456789ab" || m.Manifest == "" {
		t.Errorf("have %+v, %v", m, err)
	}
	if _, err := firstSight(os.DirFS(t.TempDir())); err == nil {
		t.Error("an empty folder is no medium")
	}
}

var _ tui.Host = (*host)(nil)
