package node

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/internal/system"
	"caisson.dev/caisson/nodeos/netchange"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
	"caisson.dev/caisson/tui"
)

// changer is this node for package netchange.
func (r *run) changer() netchange.Node {
	sys := r.env.System(io.Discard)
	return netchange.Node{Root: r.root, Now: r.now, Run: func(ctx context.Context, argv ...string) error {
		ctx, cancel := context.WithTimeout(ctx, changePatience)
		defer cancel()
		return sys.Run(ctx, system.Command{Argv: argv})
	}}
}

// changePatience bounds each program of a change: all of them end well before
// the old network comes back.
const changePatience = 10 * time.Second

// wiring is the node's network for the status console.
func (k keeper) wiring(n installed) tui.Wiring {
	out := tui.Wiring{Enclave: n.enclave, Answers: n.answers, Seen: append(linksNow(n.enclave.Network.PodCIDR), gateways(k.r.root)...)}
	if _, ok := n.profile.(profiles.NetworkChanger); !ok {
		out.Refused = fixed(n)
	}
	cards, _ := k.cards().Cards(n.answers.Network)
	for _, c := range cards {
		if !c.Link {
			out.Unplugged = append(out.Unplugged, c.Name)
		}
	}
	if at := n.answers.Network; at.Interface == "" && len(at.Bond.Interfaces) == 0 && len(out.Unplugged) < len(cards) {
		out.Unplugged = nil // any card will do
	}
	if c, waits, err := k.r.changer().Pending(); err == nil && waits {
		out.Waits = c.Until()
	}
	return out
}

// cards is this machine as far as its network cards go.
func (k keeper) cards() machine.Machine { return machine.Machine{NICs: machine.NICs(k.r.env.Root())} }

// fixed refuses a change of the network under a profile that knows none.
func fixed(n installed) error {
	return tui.Refused.New("cannot change the network: have profile %s, which cannot say what that takes, need one that can", n.profile.Name()).
		Hint("install the node anew with the other network")
}

// takes says what another network takes, by the profile, after the Spec's own
// checks: the screens made them too, and nobody else is trusted with this.
func (k keeper) takes(to spec.NodeNetwork) (installed, profiles.NetworkChange, error) {
	var what profiles.NetworkChange
	n, err := load(k.r.root)
	if err != nil {
		return n, what, err
	}
	a := n.answers
	a.APIVersion, a.Kind, a.Node, a.Network = spec.APIVersion, spec.KindAnswers, "", to
	if _, err := spec.Complete(n.enclave, a); err != nil {
		return n, what, err
	}
	changer, ok := n.profile.(profiles.NetworkChanger)
	if !ok {
		return n, what, fixed(n)
	}
	what, err = changer.ChangeNetwork(profiles.NetworkInput{Root: k.r.root, Enclave: n.enclave, Answers: n.answers, New: to})
	if err == nil && len(what.Files) == 0 {
		err = tui.Refused.New("cannot change the network: have these settings already, need others")
	}
	return n, what, err
}

// Propose says what another network takes, and what is heard there already.
func (k keeper) Propose(ctx context.Context, to spec.NodeNetwork) (tui.NetworkChange, error) {
	_, what, err := k.takes(to)
	if err != nil {
		return tui.NetworkChange{}, err
	}
	heard, err := k.listen(ctx, to)
	if err != nil {
		return tui.NetworkChange{}, err
	}
	out := tui.NetworkChange{Restart: what.Restart, Notes: append(heard, what.Notes...)}
	for _, f := range what.Files {
		out.Files = append(out.Files, f.Path)
	}
	return out, nil
}

// Switch puts another network into force, until somebody confirms it.
func (k keeper) Switch(ctx context.Context, to spec.NodeNetwork, by string) (time.Time, error) {
	n, what, err := k.takes(to)
	if err != nil {
		return time.Time{}, err
	}
	// Not what the change says: that has no monotonic clock, and a network that works
	// may set the other one.
	until := k.r.now().Add(netchange.Patience)
	k.note(fmt.Sprintf("%s changes the network from %s to %s", by, tui.NetworkText(n.answers.Network), tui.NetworkText(to)))
	_, err = k.r.changer().Switch(ctx, by, n.answers.Network, to, what)
	if err != nil {
		k.note("the new network is not in force: " + err.Error())
		return time.Time{}, err
	}
	return until, nil
}

// listen asks where a new network will be, before it is in force, who has its
// address: that is refused. What else is heard, or is not, is for a person to read.
func (k keeper) listen(ctx context.Context, to spec.NodeNetwork) ([]string, error) {
	if to.Address == "" || to.Interface == spec.NoInterface {
		return nil, nil
	}
	var asked tui.AddressAsked
	if up := machine.Carrier(k.r.env.Root(), spec.BondLink); up && len(to.Bond.Interfaces) > 0 {
		asked, _ = k.r.ask(ctx, []string{spec.BondLink}, to) // its cards are not to speak by themselves
	} else {
		asked = k.r.askAddress(ctx, k.cards(), to)
	}
	switch {
	case asked.Err != nil:
		return nil, asked.Err
	case asked.Untested != "":
		return []string{"Whether somebody has " + to.Address + " already was not tested: " + asked.Untested + "."}, nil
	case asked.Silent:
		return []string{"The gateway " + to.Gateway + " does not answer on " + asked.On + " now."}, nil
	}
	return nil, nil
}

// Settle ends a change.
func (k keeper) Settle(ctx context.Context, keep bool) (string, error) {
	if keep {
		c, err := k.r.changer().Keep(ctx)
		if err == nil {
			k.note("the new network is kept: " + tui.NetworkText(c.New))
		}
		return "The new network is kept.", err
	}
	c, did, err := k.r.changer().Revert(ctx)
	if did {
		k.note("the new network was not kept; the old one is back: " + tui.NetworkText(c.Old))
	}
	return "The old network is back.", err
}

// linksNow are the links with an address, but loopback and the pods'.
func linksNow(podCIDR string) []string {
	links, err := net.Interfaces()
	if err != nil {
		return nil
	}
	pods, _ := netip.ParsePrefix(podCIDR) // the zero one contains nothing
	var out []string
	for _, l := range links {
		addresses, err := l.Addrs()
		if err != nil || l.Flags&net.FlagLoopback != 0 {
			continue
		}
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && !pods.Contains(p.Addr()) {
				out = append(out, fmt.Sprintf("%s  %s  MTU %d", l.Name, p, l.MTU))
			}
		}
	}
	return out
}

// gateways are those of the kernel's default routes, from /proc/net/route: hex,
// the last byte first.
func gateways(root string) []string {
	raw, err := os.ReadFile(filepath.Join(root, "proc/net/route"))
	if err != nil {
		return nil
	}
	var out []string
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" || f[2] == "00000000" {
			continue
		}
		if b, err := hex.DecodeString(f[2]); err == nil && len(b) == 4 {
			out = append(out, fmt.Sprintf("gateway %d.%d.%d.%d by %s", b[3], b[2], b[1], b[0], f[0]))
		}
	}
	return out
}

type networkRevertCmd struct{}

// Run brings the network back that was there before a change that nobody
// confirmed. caisson-network-revert.service runs it.
func (networkRevertCmd) Run(r *run) error {
	c, did, err := r.changer().Revert(r.ctx)
	if did && err == nil {
		fmt.Fprintf(r.out, "nobody confirmed the network that %s changed at %s; the old one is back: %s\n", c.By, c.Begun.Format(time.RFC3339), tui.NetworkText(c.Old))
	}
	return err
}
