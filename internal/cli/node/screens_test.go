package node

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/nodeos"
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

const answersHead = "apiVersion: caisson.dev/v1alpha1\nkind: Answers\n"

// TestAsks: nobody is asked only if there is consent, even in a file that is
// wrong elsewhere: that one fails as it always did.
func TestAsks(t *testing.T) {
	agrees, silent := answersHead+"confirm: {erase: any-blank}\n", answersHead+"node: node1\n"
	for _, tt := range []struct {
		name    string
		cmdline string
		second  string
		carried map[string]string
		want    bool
	}{
		{"nothing", "caisson.live", "", nil, true},
		{"a second medium", "caisson.live", silent, nil, true},
		{"a second medium that agrees", "caisson.live", agrees, nil, false},
		{"a second medium that is wrong", "caisson.live", silent + "disc: x\n", nil, true},
		{"a second medium that is wrong and agrees", "caisson.live", agrees + "disc: x\n", nil, false},
		{"a second medium that cannot be read", "caisson.live", "a: [", nil, true},
		{"answers on the medium", "caisson.live", "", map[string]string{onMedium: silent}, true},
		{"answers on the medium that agree", "caisson.live", "", map[string]string{onMedium: agrees}, false},
		{"the second medium comes before the first", "caisson.live", silent, map[string]string{onMedium: agrees}, true},
		{"answers that the command line names", "caisson.answers=/site/a.yaml", silent, map[string]string{"site/a.yaml": agrees}, false},
		{"answers on the command line", "caisson.answers=base64:" + base64.StdEncoding.EncodeToString([]byte(silent)), agrees, nil, true},
		{"a node on the command line", "caisson.node=node1", "", nil, true},
		{"consent on the command line", "caisson.erase=any", "", nil, false},
		{"consent on the command line for answers", "caisson.erase=any", silent, nil, false},
		{"screens switched off", "caisson.tui=off", "", nil, false},
		{"screens switched off, no consent", "caisson.tui=off", silent, nil, false},
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

// TestHostGivesAnswers: what was found fills the screens in, without consent; what
// cannot be used is told with its code, and where it is from.
func TestHostGivesAnswers(t *testing.T) {
	const stick = "answers.yaml on the medium labelled CAISSON"
	for _, tt := range []struct {
		name, cmdline, second string
		node, from, code      string
	}{
		{"nobody", "", "", "", "", ""},
		{"a stick", "", answersHead + "node: node1\nconfirm: {erase: any}\n", "node1", stick, ""},
		{"the kernel line", "caisson.node=node1 caisson.after=stay", "", "node1", "the kernel command line (caisson.node)", ""},
		{"partial", "", answersHead + "network: {interface: none}\n", "", stick, ""},
		{"wrong", "", answersHead + "disc: x\n", "", stick, "ANSWERS-UNKNOWN-FIELD"},
		{"no such node", "", answersHead + "node: node9\n", "", stick, "ANSWERS-NODE"},
		{"a resolver among the services", "", answersHead + "network: {dns: [10.43.0.10]}\n", "", stick, "ANSWERS-CONFLICT"},
		{"no such file", "caisson.answers=/x.yaml", "", "", "the kernel command line (caisson.answers)", "MEDIA-MISSING-FILE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.cmdline, b.second = tt.cmdline, tt.second
			facts, err := newHost(t, b).Verify(t.Context(), func(int64, int64) {})
			if err != nil {
				t.Fatal(err)
			}
			code := ""
			if all := fault.All(facts.AnswersErr); len(all) > 0 {
				code = all[0].Code
			}
			if a := facts.Answers; a.Node != tt.node || a.Confirm.Erase != "" || facts.AnswersFrom != tt.from || code != tt.code {
				t.Errorf("have %+v from %q, %q (%v)", a, facts.AnswersFrom, code, facts.AnswersErr)
			}
			told := ""
			for _, e := range b.events() {
				if e.Name == "error" {
					told = e.Code
				}
			}
			if told != tt.code {
				t.Errorf("told %q, want %q", told, tt.code)
			}
		})
	}
}

// TestAnswersWithoutConsentAreAskedFor goes the whole way, line by line: the
// answers of a stick, one consent on the screen, a node.
func TestAnswersWithoutConsentAreAskedFor(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	person := os.NewFile(uintptr(pair[0]), "person")
	defer person.Close()
	b := newBench(t)
	b.terminals = []terminal{{Name: "ttyS0", Serial: true, File: os.NewFile(uintptr(pair[1]), "ttyS0")}}
	b.cmdline, b.second = "caisson.tui=plain", answersHead+"node: node1\nafter: poweroff\n"
	dir, status := medium(t, nil), make(chan int, 1)
	go func() {
		code, _, _ := b.run("install", "--screens", "--medium", dir)
		status <- code
	}()
	var seen []byte
	read := make([]byte, 4096)
	for _, step := range []struct{ until, say string }{
		{"Large print", "n"}, {"Number [1]: ", "1"}, // the medium is checked
		{"Filled in by  answers.yaml on the medium labelled CAISSON", ""}, {"Number [1]: ", "1"},
		{"Last 2", "D1"}, {"Number [1]: ", "1"}, // the consent
		{"Power off now", ""}, {"Number [1]: ", "1"},
	} {
		for !bytes.Contains(seen, []byte(step.until)) {
			n, err := person.Read(read)
			if err != nil {
				t.Fatalf("waiting for %q: %v\n%s", step.until, err, seen)
			}
			seen = append(seen, read[:n]...)
		}
		seen = seen[bytes.Index(seen, []byte(step.until))+len(step.until):]
		if step.say != "" {
			fmt.Fprintln(person, step.say)
		}
	}
	go io.Copy(io.Discard, person)
	if code := <-status; code != 0 || b.left != "poweroff" {
		t.Errorf("status %d, left by %q", code, b.left)
	}
	events := b.events()
	if last := events[len(events)-1]; last.Name != "done" || last.Data["result"] != "ok" || last.Data["node"] != "node1" {
		t.Errorf("have %+v last on the port, want done (ok) of node1", last)
	}
}

// TestLooks: how the screens shall look goes from the installer's kernel line to
// the node's, and from there to the status console; nothing else does.
func TestLooks(t *testing.T) {
	for line, want := range map[string]struct {
		kept         string
		ascii, large bool
		colour       tui.Colours
	}{
		"caisson.live":                       {"", false, false, tui.Colour16},
		"caisson.tui=off":                    {"", false, false, tui.Colour16},
		"caisson.tui=large,mono,init=/bin/x": {"caisson.tui=mono,large", false, true, tui.Mono},
		"caisson.tui=ascii caisson.node=x":   {"caisson.tui=ascii", true, false, tui.Colour16},
		"caisson.tui=plain":                  {"caisson.tui=plain", true, false, tui.Mono},
	} {
		node := strings.Join(kept(line), " ")
		at := dressed(tui.Terminal{}, wishes(node))
		if node != want.kept || at.ASCII != want.ascii || at.Large != want.large || at.Colour != want.colour {
			t.Errorf("%s: have %q, %+v", line, node, at)
		}
	}
	b := newBench(t)
	b.cmdline = "caisson.tui=large,off"
	h := newHost(t, b)
	if _, err := h.Verify(t.Context(), func(int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	p, err := h.Plan(spec.Answers{Node: "node1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Install(t.Context(), p, "any", event.Discard); err != nil {
		t.Fatal(err)
	}
	entries := 0
	for path, raw := range b.sys.Files {
		if strings.Contains(path, nodeos.EntryDir) {
			entries++
			if !strings.HasSuffix(strings.TrimSpace(string(raw)), " caisson.tui=large") {
				t.Errorf("%s is\n%s", path, raw)
			}
		}
	}
	if entries != 1 {
		t.Errorf("found %d boot entries", entries)
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
