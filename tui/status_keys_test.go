package tui

import (
	"context"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"

	"caisson.dev/caisson/spec"
)

// asked are the effects but the looks.
func (d *desk) asked() []Effect {
	var out []Effect
	for _, e := range d.effects {
		if _, look := e.(Look); !look {
			out = append(out, e)
		}
	}
	return out
}

// TestStatusMenu plays the ways through the menu: what is asked of the host, and
// where a person is then.
func TestStatusMenu(t *testing.T) {
	const right = "'right?"
	yes := Do{RestartKubernetes}
	for _, c := range []struct {
		name string
		node NodeState
		way  []string
		want []Effect
		at   place
	}{
		{"nobody has a password", none(sound()), []string{"enter", "'right", "enter"}, nil, atStatus},
		{"read-only without a password", sound(), []string{"down", "'rq", "enter", "esc", "down"}, nil, atStatus},
		{"an empty password asks nobody", sound(), []string{"enter", "enter"}, nil, atPassword},
		{"a wrong one opens nothing", sound(), []string{"enter", "'wrong", "enter"}, []Effect{Admit{"ops", "wrong"}}, atPassword},
		{"the second administrator", many(sound()), []string{"enter", "down", "enter", right, "enter"}, []Effect{Admit{"second", "right?"}}, atMenu},
		{"no is where the keys are", sound(), []string{"enter", right, "enter", "enter", "enter"}, []Effect{Admit{"ops", "right?"}}, atMenu},
		{"yes", sound(), []string{"enter", right, "enter", "enter", "down", "enter"}, []Effect{Admit{"ops", "right?"}, yes}, atMenu},
		{"the password is asked for each time", sound(), []string{"enter", right, "enter", "esc", "enter", "enter"}, []Effect{Admit{"ops", "right?"}}, atPassword},
		{"what was typed is forgotten", sound(), []string{"enter", right, "esc", "enter", "enter"}, nil, atPassword},
		{"backspace", sound(), []string{"enter", "'right?!", "backspace", "enter"}, []Effect{Admit{"ops", "right?"}}, atMenu},
		{"a menu that nobody uses closes", sound(), []string{"enter", right, "enter", "+119s", "down", "+119s", "+1s"}, []Effect{Admit{"ops", "right?"}}, atStatus},
		{"a root shell that the Spec does not allow", sound(), []string{"enter", right, "enter", "down", "down", "down", "down", "enter", "down", "enter"},
			[]Effect{Admit{"ops", "right?"}, Do{Reboot}}, atMenu},
		{"a root shell that it allows", free(sound()), []string{"enter", right, "enter", "down", "down", "down", "down", "enter", "down", "enter"},
			[]Effect{Admit{"ops", "right?"}, Do{OpenShell}}, atMenu},
		{"no key counts after power off", sound(), []string{"enter", right, "enter", "up", "down", "down", "down", "down", "down", "enter", "down", "enter", "enter", "esc"},
			[]Effect{Admit{"ops", "right?"}, Do{PowerOff}}, atMenu},
	} {
		d := newDesk(t, c.node)
		d.do(c.way...)
		if got := d.asked(); !reflect.DeepEqual(got, c.want) || d.s.at != c.at {
			t.Errorf("%s: asked for %+v and is at %d, want %+v at %d", c.name, got, d.s.at, c.want, c.at)
		}
	}
}

// TestWrongPasswordsCostTime: each costs more, a minute at most, also for one
// who goes away and comes back; then the right one still counts.
func TestWrongPasswordsCostTime(t *testing.T) {
	d := newDesk(t, sound())
	d.do("enter")
	for _, seconds := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
		before := len(d.asked())
		d.do("'wrong", "enter")
		for range seconds - 1 {
			d.do("+1s", "esc", "enter", "'right?", "enter")
		}
		if n := len(d.asked()) - before; n != 1 || d.s.at != atPassword {
			t.Fatalf("%d passwords went to the host within %d s, want 1", n, seconds)
		}
		d.do("+1s", "esc", "enter")
	}
	d.do("'right?", "enter")
	if d.s.at != atMenu {
		t.Errorf("at %d with the right password, want the menu", d.s.at)
	}
	d.do("esc", "enter", "'wrong", "enter", "+1s", "'right?", "enter")
	if d.s.at != atMenu {
		t.Error("the right password did not end the growing of the delay")
	}
}

// TestStatusLooks: every five seconds, never twice at once, and what is old says so.
func TestStatusLooks(t *testing.T) {
	d := newDesk(t, sound())
	d.do("+1s", "+3s", "+1s", "+1s")
	if n := len(d.effects); n != 2 {
		t.Errorf("%d looks in 6 s, want 2", n)
	}
	d.held = true
	d.do("+5s", "+10s", "+10s")
	if n := len(d.effects); n != 3 {
		t.Errorf("%d looks while one is under way, want 3 in all", n)
	}
	if strings.Contains(d.s.View(d.s.size).Text(), "Old:") {
		t.Error("old too soon")
	}
	d.do("+5s")
	if !strings.Contains(d.s.View(d.s.size).Text(), "[!]  Old: this is how the node was at 12:00:05 UTC.") {
		t.Errorf("the screen does not say how old it is:\n%s", d.s.View(d.s.size).Text())
	}
}

// keeper is a StatusHost in memory.
type keeper struct {
	mu    sync.Mutex
	node  NodeState
	did   []Act
	wired []string
}

func (k *keeper) Look(context.Context) NodeState {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.node
}

func (k *keeper) Admit(_ context.Context, user, password string) error {
	if user+password == "opssecret?" {
		return nil
	}
	return wrongPassword.New("cannot open the menu: have another password, need %s's", user)
}

func (k *keeper) Do(_ context.Context, a Act) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.did = append(k.did, a)
	return "The kubelet was restarted.", nil
}

func (k *keeper) Propose(context.Context, spec.NodeNetwork) (NetworkChange, error) {
	return NetworkChange{Files: []string{"/etc/hosts"}}, nil
}

func (k *keeper) Switch(_ context.Context, n spec.NodeNetwork, by string) (time.Time, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wired = append(k.wired, by+" "+n.Address)
	return time.Now().Add(time.Minute), nil
}

func (k *keeper) Settle(_ context.Context, keep bool) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wired = append(k.wired, box(keep, "keep", "back"))
	return "The new network is kept.", nil
}

// TestShowStatus plays the console on a terminal. What others write there is
// gone at the next look, and the console ends with its context.
func TestShowStatus(t *testing.T) {
	r, w := io.Pipe()
	out := &screen{t: t, vt: vt.NewEmulator(80, 24), in: w, ended: make(chan error, 1)}
	go func() { _, _ = io.Copy(w, out.vt) }()
	ctx, stop := context.WithCancel(context.Background())
	host := &keeper{node: sound()}
	go func() {
		out.ended <- ShowStatus(ctx, host, time.Now, Terminal{Name: "tty1", In: r, Out: out, TERM: "linux", Colour: Colour16})
	}()
	out.shows("[ok] State         Ready")
	out.mu.Lock()
	_, _ = out.vt.Write([]byte("\x1b[4;1Hgarbage from a service\r\n\r\nmore of it"))
	out.mu.Unlock()
	out.shows("garbage")
	out.shows("[ok] State         Ready")
	if text := out.text(); strings.Contains(text, "garbage") || strings.Contains(text, "more of it") {
		t.Errorf("not all is drawn anew:\n%s", text)
	}
	out.keys("enter")
	out.shows("Password of ops")
	out.keys("wr0ng", "enter")
	out.shows("TEST-WRONG")
	time.Sleep(2100 * time.Millisecond)
	out.keys("secret?", "enter")
	out.shows("> Restart Kubernetes (kubelet)")
	out.keys("enter")
	out.shows("> No")
	out.keys("down", "enter")
	out.shows("The kubelet was restarted.")
	out.keys("down", "down", "enter")
	out.shows("> Address by")
	out.keys("down", "\x7f", "\x7f", "16", "down", "down", "down", "down", "down", "enter")
	out.shows("> No: back to the values")
	out.keys("down", "enter")
	out.shows("The old settings come back in")
	out.keys("up", "enter")
	out.shows("The new network is kept.")
	if host.mu.Lock(); !reflect.DeepEqual(host.wired, []string{"ops 10.20.0.31/16", "keep"}) {
		t.Errorf("did %v", host.wired)
	}
	host.mu.Unlock()
	if host.mu.Lock(); !reflect.DeepEqual(host.did, []Act{RestartKubernetes}) {
		t.Errorf("did %v", host.did)
	}
	host.mu.Unlock()
	stop()
	select {
	case err := <-out.ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the console does not end with its context")
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	for _, bad := range []string{"secret", "wr0ng"} {
		if strings.Contains(string(out.raw), bad) {
			t.Errorf("the terminal was shown %q", bad)
		}
	}
}
