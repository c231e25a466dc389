package arp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"caisson.dev/caisson/internal/judge"
)

// cable is a card of this machine, in a network namespace of the test's own, and
// the other end of its cable in another machine: a namespace where ip acts.
type cable struct{ card, far, name string }

func plug(t *testing.T) cable {
	t.Helper()
	judge.Need(t, "ip", "iproute2")
	if os.Getuid() != 0 {
		t.Skip("network namespaces need root")
	}
	// The thread stays in its namespace, and ends with the test.
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("this machine allows no network namespace: %v", err)
	}
	c := cable{"near", "far", fmt.Sprintf("caisson-arp-%d", os.Getpid())}
	run(t, "ip", "netns", "add", c.name)
	t.Cleanup(func() { run(t, "ip", "netns", "del", c.name) })
	run(t, "ip", "link", "add", c.card, "type", "veth", "peer", "name", c.far, "netns", c.name)
	run(t, "ip", "link", "set", c.card, "up")
	c.there(t, "link", "set", c.far, "up")
	return c
}

// there runs ip on the other machine.
func (c cable) there(t *testing.T, args ...string) string {
	t.Helper()
	return run(t, "ip", append([]string{"-netns", c.name}, args...)...)
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// TestWhoHas: the kernel of another machine is the judge of what we ask.
func TestWhoHas(t *testing.T) {
	c := plug(t)
	c.there(t, "address", "add", "10.20.0.31/24", "dev", c.far)
	begun := time.Now()
	who, err := WhoHas(t.Context(), c.card, 0, address)
	if err != nil || who == nil || !strings.Contains(c.there(t, "link", "show", c.far), who.String()) {
		t.Errorf("have %v, %v, want the card at the other end:\n%s", who, err, c.there(t, "link", "show", c.far))
	}
	if took := time.Since(begun); took > between {
		t.Errorf("an answer took %v", took)
	}
	// Nobody's cache learns anything from a probe.
	if cache := c.there(t, "neigh", "show"); strings.Contains(cache, "10.20.0.31") || strings.Contains(cache, "0.0.0.0") {
		t.Errorf("the other machine remembers:\n%s", cache)
	}
	begun = time.Now()
	who, err = WhoHas(t.Context(), c.card, 0, netip.MustParseAddr("10.20.0.32"))
	if who != nil || err != nil {
		t.Errorf("have %v, %v for an address that nobody has", who, err)
	}
	if took := time.Since(begun); took < probes*between || took > 2*probes*between {
		t.Errorf("nobody's silence took %v", took)
	}
}

// TestWhoHasStops: a person who goes back is not kept waiting.
func TestWhoHasStops(t *testing.T) {
	c := plug(t)
	ctx, stop := context.WithTimeout(t.Context(), between/2)
	defer stop()
	if who, err := WhoHas(ctx, c.card, 0, address); who != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("have %v, %v", who, err)
	}
}

// TestWhoHasCannotAsk: a card that is not there or not up is no silence.
func TestWhoHasCannotAsk(t *testing.T) {
	if _, err := WhoHas(t.Context(), "no-such-card", 0, address); !Failed.Is(err) {
		t.Errorf("no card: %v", err)
	}
	c := plug(t)
	run(t, "ip", "link", "set", c.card, "down")
	if who, err := WhoHas(t.Context(), c.card, 0, address); who != nil || !Failed.Is(err) {
		t.Errorf("a card that is down: have %v, %v", who, err)
	}
}

// TestTwoAskAtOnce: of two machines that want an address at the same moment, one
// at least hears the other, and stops.
func TestTwoAskAtOnce(t *testing.T) {
	c := plug(t)
	heard := make(chan net.HardwareAddr, 1)
	ready := make(chan struct{})
	go func() { // in the other machine
		runtime.LockOSThread()
		defer close(heard)
		ns, err := os.Open("/run/netns/" + c.name)
		if err != nil || unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET) != nil {
			t.Error("cannot enter the other machine")
			close(ready)
			return
		}
		close(ready)
		who, err := WhoHas(t.Context(), c.far, 0, address)
		if err != nil {
			t.Error(err)
		}
		heard <- who
	}()
	<-ready
	near, err := WhoHas(t.Context(), c.card, 0, address)
	if far := <-heard; near == nil && far == nil || err != nil {
		t.Errorf("neither heard the other: %v", err)
	}
}
