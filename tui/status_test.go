package tui

import (
	"errors"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/spec"
)

// sound is a node with nothing wrong.
func sound() NodeState {
	return NodeState{Enclave: "demo", Node: "edge1", Role: "control-plane", Classification: spec.Classification{Label: "RESTRICTED // TRIAL", Colour: "orange"},
		Addresses: []string{"10.20.0.31"}, Kubernetes: "v1.37.2", Unit: "kubelet", Kubelet: "active", Cluster: "the control plane answers and calls this node Ready", Member: true, Registry: "distribution, answers at 127.0.0.1:5000", Serves: true,
		Certificate: "apiserver.crt", Until: noon.AddDate(0, 0, 341).Add(time.Hour), VarUsed: 7 * size.GiB, VarFree: 21 * size.GiB, Synchronised: true, Server: true,
		OS: "debian-13-20261120", Slot: "a", Release: "demo-0123456789ab", Installed: noon.Add(-time.Hour), Record: string(digest.Of([]byte("record"))), Admins: []string{"ops"}, Network: wired()}
}

// on is one whose Kubernetes runs as that unit.
func on(unit string, n NodeState) NodeState { n.Unit = unit; return n }

// ill is one with everything wrong.
func ill() NodeState {
	n := sound()
	n.Cluster, n.Member = "the control plane does not answer at https://10.20.0.31:6443 (connection refused)", false
	n.Waits, n.Kubelet, n.Registry, n.Serves = "waiting for the API server (connection refused)", "failed", "does not answer at 127.0.0.1:5000", false
	n.Addresses, n.Until, n.VarUsed, n.VarFree = nil, noon.Add(-time.Hour), 27*size.GiB, size.GiB
	n.Synchronised, n.Server, n.Installed = false, false, noon.Add(time.Hour)
	n.Record, n.RecordErr = "", errors.New("none: there is no record.json")
	return n
}

var (
	wrongPassword = fault.Define("TEST-WRONG", fault.Input)
	noStick       = fault.Define("TEST-STICK", fault.Machine)
)

// desk is a status console with a play of a host.
type desk struct {
	t       testing.TB
	s       Status
	node    NodeState
	now     time.Time
	held    bool // no answer comes
	broken  bool // no new network can be put into force
	effects []Effect
}

func newDesk(t testing.TB, n NodeState) *desk {
	d := &desk{t: t, s: NewStatus(), node: n, now: noon}
	d.send(Tick{d.now})
	return d
}

func (d *desk) send(ev Event) {
	var effects []Effect
	d.s, effects = d.s.Update(ev)
	for _, e := range effects {
		d.effects = append(d.effects, e)
		if d.held {
			continue
		}
		switch e := e.(type) {
		case Look:
			d.send(Looked{d.node})
		case Admit:
			if e.Password == "right?" {
				d.send(Admitted{})
			} else {
				d.send(Admitted{wrongPassword.New("cannot open the menu: have another password, need the one of %s", e.User)})
			}
		case Propose:
			if e.Network.Address == bound.Address {
				d.send(Proposed{Err: wrongPlace.New("cannot give this node 10.20.0.99: have a control-plane that was set up with 10.20.0.31, need that address to stay").Hint("keep the address")})
			} else {
				d.send(Proposed{Change: NetworkChange{Files: []string{"/etc/hosts", "/etc/systemd/network/10-caisson.network"}, Restart: []string{"kubelet.service"},
					Notes: []string{"The kubelet restarts and asks for a new serving certificate."}}})
			}
		case Switch:
			if d.broken {
				d.send(Switched{Err: wrongPlace.New("cannot put the new network into force: have no link vlan42, need it")})
				continue
			}
			d.node.Network.Waits = d.now.Add(time.Minute)
			d.send(Switched{Until: d.node.Network.Waits})
		case Settle:
			d.node.Network.Waits = time.Time{}
			d.send(Settled{Said: box(e.Keep, "The new network is kept.", "The old network is back.")})
		case Do:
			if e.Act == SaveBundle {
				d.send(Did{Err: noStick.New("cannot save to a stick: have none, need one").Hint("plug in a stick")})
			} else {
				d.send(Did{Said: "The " + string(e.Act) + " was restarted."})
			}
		}
	}
}

// do presses keys: a name, or 'text to type.
func (d *desk) do(words ...string) {
	d.t.Helper()
	for _, w := range words {
		if text, typed := strings.CutPrefix(w, "'"); typed {
			for _, ev := range runes(text) {
				d.send(ev)
			}
			continue
		}
		if span, ok := strings.CutPrefix(w, "+"); ok {
			by, err := time.ParseDuration(span)
			if err != nil {
				d.t.Fatal(err)
			}
			d.now = d.now.Add(by)
			d.send(Tick{d.now})
			continue
		}
		k, ok := keyNamed(w)
		if !ok {
			d.t.Fatalf("no key is called %q", w)
		}
		d.send(k)
	}
}

// worker is one that waits for somebody to join it.
func worker(n NodeState) NodeState {
	n.Role, n.Waits, n.Kubelet = "worker", "waiting for kubeadm to set up the node", "activating"
	n.Cluster, n.Member, n.Certificate = "none: this node is in no cluster yet", false, ""
	return n
}

func waiting(n NodeState) NodeState { n.Network.Waits = noon.Add(time.Minute); return n }
func many(n NodeState) NodeState    { n.Admins = []string{"ops", "second"}; return n }
func free(n NodeState) NodeState    { n.Shell = true; return n }
func unplugged(n NodeState) NodeState {
	n.Network.Unplugged, n.Network.Seen = []string{"eno1"}, nil
	return n
}
func fixedNode(n NodeState) NodeState {
	n.Network.Refused = wrongPlace.New("cannot change the network: have a profile that cannot say what that takes, need one that can").Hint("install the node anew")
	return n
}
func none(n NodeState) NodeState { n.Admins = nil; return n }

// statusShots are the screens of the console, each with the way to it.
var statusShots = []struct {
	name string
	node NodeState
	way  []string
}{
	{"sound", sound(), nil},
	{"ill", ill(), nil},
	{"worker", worker(sound()), nil},
	{"damaged", NodeState{Damaged: noStick.New("cannot read what the installer left in /var/lib/caisson: no such file").Hint("STATE is not mounted on /var")}, nil},
	{"nobody", none(sound()), []string{"enter"}},
	{"who", many(sound()), []string{"enter", "down"}},
	{"password", sound(), []string{"enter", "'secret"}},
	{"password-wrong", sound(), []string{"enter", "'wrong", "enter", "+1s", "'wrong", "enter"}},
	{"help", sound(), []string{"'?"}},
	{"help-password", sound(), []string{"enter", "'sec?et", "help"}},
	{"help-menu", sound(), []string{"enter", "'right?", "enter", "'?"}},
	{"help-network", sound(), way(toForm, []string{"down", "'?"})},
	{"help-keep", sound(), way(toForm, toChange, []string{"down", "enter", "+7s", "'?"})},
	{"menu", sound(), []string{"enter", "'right?", "enter"}},
	{"ask-restart", on("rke2-server", sound()), []string{"enter", "'right?", "enter", "enter"}},
	{"menu-shell", free(sound()), []string{"enter", "'right?", "enter", "down", "down", "down", "down"}},
	{"ask-shell", free(sound()), []string{"enter", "'right?", "enter", "down", "down", "down", "down", "enter", "down"}},
	{"network", sound(), toForm},
	{"network-unplugged", unplugged(sound()), toForm},
	{"network-refused", fixedNode(sound()), toForm},
	{"network-wrong", sound(), way(toForm, []string{"down", "'9", "down", "'x", "down", "'banana", "down", "'9", "down", "'ns.x", "down", "enter"})},
	{"network-bound", sound(), way(toForm, []string{"down", "backspace", "backspace", "backspace", "backspace", "backspace", "'99/24", "down", "down", "down", "down", "down", "enter"})},
	{"network-change", sound(), way(toForm, toChange)},
	{"network-keep", sound(), way(toForm, toChange, []string{"down", "enter", "+7s"})},
	{"network-kept", sound(), way(toForm, toChange, []string{"down", "enter", "+7s", "up", "enter"})},
	{"network-back", sound(), way(toForm, toChange, []string{"down", "enter", "+59s", "+1s"})},
	{"network-waits", waiting(sound()), nil},
	{"menu-failed", sound(), []string{"enter", "'right?", "enter", "down", "down", "down", "enter", "down", "enter"}},
	{"menu-done", sound(), []string{"enter", "'right?", "enter", "enter", "down", "enter"}},
	{"ask", sound(), []string{"enter", "'right?", "enter", "down", "down", "down", "down", "enter"}},
}

func TestStatusScreens(t *testing.T) {
	for _, x := range statusShots {
		d := newDesk(t, x.node)
		d.do(x.way...)
		holdTexts(t, "status", x.name, d.s.View, append(canvases, smallest)...)
		holdColours(t, "status", x.name, d.s.Banner(), d.s.View)
		for _, l := range d.s.lines() {
			for _, sp := range l.spans {
				if (sp.Role == OK || sp.Role == Warn || sp.Role == Bad) && !strings.Contains(flat(l.spans), "[") {
					t.Errorf("%s: %q has nothing but its colour", x.name, flat(l.spans))
				}
			}
		}
	}
	const first = "before-the-first-look"
	holdTexts(t, "status", first, NewStatus().View, append(canvases, smallest)...)
	holdColours(t, "status", first, "", NewStatus().View)
}

// TestStatusJudges holds from when on what is doubtful and what is bad.
func TestStatusJudges(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*NodeState)
		mark   string
	}{
		{"Certificates", func(n *NodeState) { n.Until = noon.AddDate(0, 0, 30) }, "[ok] "},
		{"Certificates", func(n *NodeState) { n.Until = noon.AddDate(0, 0, 30).Add(-time.Second) }, "[!]  "},
		{"Certificates", func(n *NodeState) { n.Until = noon.AddDate(0, 0, 7) }, "[!]  "},
		{"Certificates", func(n *NodeState) { n.Until = noon.AddDate(0, 0, 7).Add(-time.Second) }, "[!!] "},
		{"Certificates", func(n *NodeState) { n.Until = noon }, "[!!] "},
		{"Certificates", func(n *NodeState) { n.Certificate = "" }, "[!]  "},
		{"Certificates", func(n *NodeState) { n.CertificateErr = errors.New("x") }, "[!!] "},
		{"Disk", func(n *NodeState) { n.VarUsed, n.VarFree = 79, 21 }, "[ok] "},
		{"Disk", func(n *NodeState) { n.VarUsed, n.VarFree = 80, 20 }, "[!]  "},
		{"Disk", func(n *NodeState) { n.VarUsed, n.VarFree = 90, 10 }, "[!!] "},
		{"Disk", func(n *NodeState) { n.VarUsed, n.VarFree = 0, 0 }, "[!]  "},
		{"Clock", func(n *NodeState) { n.Synchronised = false }, "[!]  "},
		{"Clock", func(n *NodeState) { n.Installed = noon.Add(time.Second) }, "[!!] "},
		{"State", func(n *NodeState) { n.Waits = "waiting for kubeadm to finish" }, "[!!] "},
		{"Kubernetes", func(n *NodeState) { n.Kubelet = "activating" }, "[!!] "},
		{"Registry", func(n *NodeState) { n.Serves = false }, "[!!] "},
		{"Cluster", func(n *NodeState) { n.Member = false }, "[!!] "},
		{"Cluster", func(n *NodeState) { n.Cluster = "" }, "[!]  "},
		{"Cluster", func(n *NodeState) {}, "[ok] "},
		{"Installed", func(n *NodeState) { n.Installed = time.Time{} }, "[ok] "},
		{"Installed", func(n *NodeState) { n.Release, n.Installed = "", time.Time{} }, "[!]  "},
		{"Addresses", func(n *NodeState) { n.Addresses = nil }, "[!]  "},
		{"Record", func(n *NodeState) { n.RecordErr = errors.New("x") }, "[!!] "},
		{"Role", func(n *NodeState) {}, "[ok] "},
	} {
		n := sound()
		c.change(&n)
		have := ""
		for _, l := range n.lines(noon) {
			if strings.TrimSpace(l.spans[1].Text) == c.name {
				have = l.spans[0].Text
			}
		}
		if have != c.mark {
			t.Errorf("%s of %+v: have %q, want %q", c.name, n, have, c.mark)
		}
	}
}
