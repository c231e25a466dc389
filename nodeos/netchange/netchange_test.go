package netchange

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

var (
	before = spec.NodeNetwork{Interface: "eno1", Address: "10.20.0.11/24", VLAN: 7}
	after  = spec.NodeNetwork{Interface: "eno1", Address: "10.20.0.11/24", VLAN: 42}
)

const (
	changed = "/etc/systemd/network/10-caisson.network"
	added   = "/etc/systemd/network/10-caisson-new.netdev"
	removed = "/etc/systemd/network/10-caisson-old.netdev"
)

var what = profiles.NetworkChange{Restart: []string{"kubelet.service"}, Files: []profiles.FileChange{
	{Path: changed, Mode: 0o644, Old: []byte("old\n"), New: []byte("new\n")},
	{Path: added, Mode: 0o644, New: []byte("added\n")},
	{Path: removed, Mode: 0o644, Old: []byte("removed\n")},
}}

// host is a node in a tree, whose programs only say that they ran.
type host struct {
	Node
	t     *testing.T
	ran   []string
	fails string // the program that does not work
}

func newHost(t *testing.T) *host {
	h := &host{t: t, Node: Node{Root: t.TempDir(), Wait: 10 * time.Millisecond, Now: func() time.Time { return time.Date(2031, 1, 1, 12, 0, 0, 0, time.UTC) }}}
	h.Run = func(_ context.Context, argv ...string) error {
		line := strings.Join(argv, " ")
		h.ran = append(h.ran, line)
		if h.fails != "" && strings.HasPrefix(line, h.fails) {
			return errors.New("it does not work")
		}
		return nil
	}
	h.put(changed, "old\n")
	h.put(removed, "removed\n")
	h.put("/proc/sys/kernel/random/boot_id", "first\n")
	for _, link := range []string{"eno1", "vlan7", "vlan42"} {
		h.put("/sys/class/net/"+link, "")
	}
	return h
}

func (h *host) put(path, text string) {
	h.t.Helper()
	full := filepath.Join(h.Root, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

// is holds what the tree has of the files, and what is kept in Dir.
func (h *host) is(name, files, kept string) {
	h.t.Helper()
	var have []string
	for _, p := range []string{changed, added, removed, Current} {
		raw, err := os.ReadFile(filepath.Join(h.Root, p))
		if err != nil {
			raw = []byte("-")
		}
		have = append(have, strings.TrimSpace(string(raw)))
	}
	if got := strings.Join(have, " "); got != files {
		h.t.Errorf("%s: the files are %s, want %s", name, got, files)
	}
	entries, err := os.ReadDir(filepath.Join(h.Root, Dir))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		h.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.Name() != "lock" {
			names = append(names, e.Name())
		}
	}
	if got := strings.Join(names, " "); got != kept {
		h.t.Errorf("%s: kept is %q, want %q", name, got, kept)
	}
}

func (h *host) did(name string, want ...string) {
	h.t.Helper()
	if got := strings.Join(h.ran, "; "); got != strings.Join(want, "; ") {
		h.t.Errorf("%s: ran %s\nwant %s", name, got, strings.Join(want, "; "))
	}
	h.ran = nil
}

const (
	oldFiles = "old - removed -"
	newFiles = `new added - {"interface":"eno1","address":"10.20.0.11/24","vlan":42}`
	day      = "20310101T120000.000Z-"
)

func (h *host) switchOver() error {
	c, err := h.Switch(context.Background(), "ops", before, after, what)
	if err == nil && !c.Until().Equal(h.Now().Add(time.Minute)) {
		h.t.Errorf("until %s", c.Until())
	}
	return err
}

func TestKept(t *testing.T) {
	h := newHost(t)
	if n, err := NetworkOf(h.Root, before); err != nil || n.VLAN != 7 {
		t.Errorf("the network is %+v, %v", n, err)
	}
	if err := h.switchOver(); err != nil {
		t.Fatal(err)
	}
	h.is("switched", newFiles, "pending.json")
	h.did("switched", "systemctl restart "+Timer, "networkctl reload", "networkctl delete vlan7", "networkctl reconfigure vlan42",
		"systemctl --no-block try-restart kubelet.service")
	if err := h.switchOver(); !Waiting.Is(err) {
		t.Errorf("a second change: %v, want NETWORK-UNCONFIRMED", err)
	}
	if c, err := h.Keep(t.Context()); err != nil || c.By != "ops" {
		t.Errorf("%+v, %v", c, err)
	}
	h.is("kept", newFiles, day+"kept.json")
	h.did("kept", "systemctl stop "+Timer)
	if n, err := NetworkOf(h.Root, before); err != nil || n.VLAN != 42 {
		t.Errorf("the network is %+v, %v", n, err)
	}
	if _, did, err := h.Revert(t.Context()); did || err != nil {
		t.Errorf("a change that was kept came back: %v", err)
	}
	h.is("the timer all the same", newFiles, day+"kept.json")
	raw, err := os.ReadFile(filepath.Join(h.Root, Dir, day+"kept.json"))
	if err != nil || !strings.Contains(string(raw), `"result": "kept"`) || !strings.Contains(string(raw), `"old": "b2xkCg=="`) {
		t.Errorf("the evidence is %s, %v", raw, err)
	}
}

func TestReverted(t *testing.T) {
	h := newHost(t)
	if err := h.switchOver(); err != nil {
		t.Fatal(err)
	}
	h.ran = nil
	if c, did, err := h.Revert(t.Context()); !did || err != nil || c.Old.VLAN != 7 {
		t.Errorf("%+v, %v, %v", c, did, err)
	}
	h.is("reverted", oldFiles, day+"reverted.json")
	h.did("reverted", "networkctl reload", "networkctl delete vlan42", "networkctl reconfigure vlan7", "systemctl --no-block try-restart kubelet.service")
	if _, err := h.Keep(t.Context()); !Gone.Is(err) {
		t.Errorf("too late: %v, want NETWORK-REVERTED", err)
	}
}

// TestPowerCut cuts the power at every step: at the next start the old files are
// there again and no program was run, or the change was kept.
func TestPowerCut(t *testing.T) {
	if h := newHost(t); true {
		if err := h.switchOver(); err != nil {
			t.Fatal(err)
		}
		for _, half := range [][]string{{}, {changed}, {changed, added}} { // of the files
			for _, p := range half {
				if err := os.Remove(filepath.Join(h.Root, p)); err != nil && !errors.Is(err, os.ErrNotExist) {
					t.Fatal(err)
				}
			}
		}
		h.put("/proc/sys/kernel/random/boot_id", "second\n")
		h.ran = nil
		if _, did, err := h.Revert(t.Context()); !did || err != nil {
			t.Errorf("%v, %v", did, err)
		}
		h.is("the next start", oldFiles, day+"reverted.json")
		h.did("the next start")
	}
	h := newHost(t)
	if err := h.switchOver(); err != nil {
		t.Fatal(err)
	}
	c, _, err := h.Pending()
	if err != nil {
		t.Fatal(err)
	}
	c.Result = Kept // the power goes before it has its name
	if err := h.Node.put(c, pending); err != nil {
		t.Fatal(err)
	}
	if _, did, err := h.Revert(t.Context()); did || err != nil {
		t.Errorf("%v, %v", did, err)
	}
	h.is("kept all the same", newFiles, day+"kept.json")
}

// TestSwitchFails: whatever program fails, the old files are back.
func TestSwitchFails(t *testing.T) {
	for _, c := range []struct{ fails, kept string }{
		{"systemctl restart", day + "reverted.json"}, {"networkctl reconfigure vlan42", day + "reverted.json"}, {"networkctl delete vlan7", day + "reverted.json"},
		{"networkctl reload", "pending.json"}, // the way back needs it too: at the next start
	} {
		h := newHost(t)
		h.fails = c.fails
		if err := h.switchOver(); !Failed.Is(err) {
			t.Errorf("%s: have %v, want NETWORK-FAILED", c.fails, err)
		}
		h.is(c.fails, oldFiles, c.kept)
	}
	h := newHost(t)
	if err := os.Remove(filepath.Join(h.Root, "sys/class/net/vlan42")); err != nil {
		t.Fatal(err)
	}
	if err := h.switchOver(); !Failed.Is(err) || !strings.Contains(fmt.Sprint(err), "have no link vlan42 after 10ms, need it") {
		t.Errorf("no link: have %v, want NETWORK-FAILED", err)
	}
	h.is("no link", oldFiles, day+"reverted.json")
}

func TestDamaged(t *testing.T) {
	h := newHost(t)
	h.put(pending, "{")
	if _, _, err := h.Revert(t.Context()); !Damaged.Is(err) {
		t.Errorf("have %v, want NETWORK-CHANGE-DAMAGED", err)
	}
	h.put(Current, "{")
	if _, err := NetworkOf(h.Root, before); err == nil {
		t.Error("a damaged network.json is taken")
	}
}

// TestDummyLink: networkd removes no link whose file is gone, so that this does,
// on the way there or back; one that another file still makes stays.
func TestDummyLink(t *testing.T) {
	const netdev = "[NetDev]\nName=caisson0\nKind=dummy\n"
	gateway := before
	gateway.Gateway = "10.20.0.1"
	file := func(name string, old, new []byte) profiles.FileChange {
		return profiles.FileChange{Path: "/etc/systemd/network/" + name, Mode: 0o644, Old: old, New: new}
	}
	for name, c := range map[string]struct {
		files       []profiles.FileChange
		there, back bool
	}{
		"goes":  {[]profiles.FileChange{file("20-caisson-nowhere.netdev", []byte(netdev), nil)}, true, false},
		"comes": {[]profiles.FileChange{file("20-caisson-nowhere.netdev", nil, []byte(netdev))}, false, true},
		"by another file": {[]profiles.FileChange{file("20-caisson-nowhere.netdev", []byte(netdev), nil),
			file("10-caisson.netdev", nil, []byte(netdev))}, false, false},
	} {
		h := newHost(t)
		h.put("/sys/class/net/caisson0", "")
		deleted := func() bool { return strings.Contains(strings.Join(h.ran, "; "), "networkctl delete caisson0") }
		if _, err := h.Switch(t.Context(), "ops", before, gateway, profiles.NetworkChange{Files: c.files}); err != nil || deleted() != c.there {
			t.Errorf("%s: %v, ran %v", name, err, h.ran)
		}
		h.ran = nil
		if _, did, err := h.Revert(t.Context()); !did || err != nil || deleted() != c.back {
			t.Errorf("%s, back: %v, %v, ran %v", name, did, err, h.ran)
		}
	}
}
