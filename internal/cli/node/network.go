package node

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"caisson.dev/caisson/installer/machine"
	"caisson.dev/caisson/internal/arp"
	"caisson.dev/caisson/internal/event"
	"caisson.dev/caisson/spec"
	"caisson.dev/caisson/tui"
)

// linkPace is how often the state of the cables is read; linkPatience is how long an
// install with nobody present waits for one: a card takes seconds to agree with a
// switch, and was brought up before the medium was checked.
const (
	linkPace     = time.Second
	linkPatience = 6 * time.Second
)

// raise brings every card up that it has not seen before. The live system does
// not: nothing in it configures a card. A card that stays down shows no link,
// which is said where it matters.
func (r *run) raise(sink event.Sink, seen map[string]bool) {
	for _, card := range slices.Sorted(maps.Keys(machine.Links(r.env.Root()))) {
		if seen[card] {
			continue
		}
		seen[card] = true
		if err := r.env.RaiseCard(r.ctx, card); err != nil {
			sink(event.Event{Name: "link", Message: fmt.Sprintf("cannot bring the network card %s up: %v", card, err)})
		}
	}
}

// WatchLinks tells of cables until ctx ends. A card that is plugged in later is
// brought up, too.
func (h *host) WatchLinks(ctx context.Context, changed func(up map[string]bool)) {
	seen := map[string]bool{}
	var said map[string]bool
	tick := time.NewTicker(linkPace)
	defer tick.Stop()
	for ctx.Err() == nil {
		h.r.raise(h.v.sink, seen)
		if now := machine.Links(h.r.env.Root()); said == nil || !maps.Equal(now, said) {
			said = now
			changed(now)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// AskAddress asks for the screens.
func (h *host) AskAddress(ctx context.Context, n spec.NodeNetwork) tui.AddressAsked {
	h.mu.Lock()
	m := h.in.Machine
	h.mu.Unlock()
	return h.r.askAddress(ctx, m, n)
}

// testAddress asks for an install with nobody present, which an answer stops.
// What could not be asked is said, and goes on: a node may be installed on a
// bench and carried to its network.
func (r *run) testAddress(sink event.Sink, m machine.Machine, n spec.NodeNetwork) error {
	if n.Address == "" || n.Interface == spec.NoInterface {
		return nil
	}
	cards, _ := m.Cards(n)
	wait, stop := context.WithTimeout(r.ctx, linkPatience)
	defer stop()
	for len(cards) > 0 && len(r.linked(cards)) == 0 && wait.Err() == nil {
		select {
		case <-time.After(linkPace / 4):
		case <-wait.Done():
		}
	}
	asked := r.askAddress(r.ctx, m, n)
	switch {
	case asked.Err != nil:
		return asked.Err
	case asked.Untested != "":
		sink(event.Event{Name: "address", Message: "whether somebody has " + n.Address + " already was not tested: " + asked.Untested, Data: map[string]string{"tested": "no"}})
	default:
		said := "nobody on " + asked.On + " answers to " + n.Address
		if asked.Silent {
			said += ", nor does the gateway " + n.Gateway
		}
		sink(event.Event{Name: "address", Message: said, Data: map[string]string{"tested": "yes"}})
	}
	return nil
}

// linked are the cards whose cable is in now.
func (r *run) linked(cards []machine.NIC) []string {
	up := machine.Links(r.env.Root())
	var out []string
	for _, c := range cards {
		if up[c.Name] {
			out = append(out, c.Name)
		}
	}
	return out
}

// askAddress asks the network of a node whether somebody has its address, in its
// VLAN: on the card, on a bond's first card with a link, on each that has one if any
// will do or if the bond is by 802.3ad. It asks for the gateway, too: who hears that
// is where he thinks he is.
func (r *run) askAddress(ctx context.Context, m machine.Machine, n spec.NodeNetwork) tui.AddressAsked {
	out := tui.AddressAsked{Network: n}
	cards, missing := m.Cards(n)
	on := r.linked(cards)
	lacp := n.Bond.Mode == spec.BondLACP
	switch {
	case len(cards) == 0 && len(missing) > 0:
		out.Untested = "this machine has no card " + strings.Join(missing, ", ")
	case len(on) == 0:
		out.Untested = "no link"
	}
	if out.Untested != "" {
		return out
	}
	if len(n.Bond.Interfaces) > 0 && !lacp {
		on = on[:1]
	}
	out, heard := r.ask(ctx, on, n)
	if lacp && !heard && out.Err == nil && out.Untested == "" {
		out.Untested = "nobody answers on " + out.On + ", and a switch with " + spec.BondLACP + " may pass nothing on before the bond is there"
	}
	return out
}

// ask asks on those links; heard is that the gateway answered.
func (r *run) ask(ctx context.Context, on []string, n spec.NodeNetwork) (out tui.AddressAsked, heard bool) {
	prefix, err := netip.ParsePrefix(n.Address)
	if err != nil {
		return tui.AddressAsked{Network: n, Untested: "it is no address"}, false
	}
	out = tui.AddressAsked{Network: n, On: inVLAN(strings.Join(on, ", "), n.VLAN)}
	var beside sync.WaitGroup
	var g answer // of the gateway
	gateway, err := netip.ParseAddr(n.Gateway)
	if err == nil {
		beside.Go(func() { g = r.whoHas(ctx, on, n.VLAN, gateway) })
	}
	a := r.whoHas(ctx, on, n.VLAN, prefix.Addr())
	beside.Wait()
	out.Silent = gateway.IsValid() && g.who == nil && g.err == nil
	switch {
	case a.who != nil:
		out.Err = arp.InUse.New("cannot use the address %s: have an answer from %s on %s, need an address that nobody has", prefix.Addr(), a.who, inVLAN(a.card, n.VLAN)).
			Hint("take another address, or switch that machine off")
	case a.err != nil:
		out.Untested, _, _ = strings.Cut(a.err.Error(), "\n") // without what to do
	}
	return out, g.who != nil
}

func inVLAN(cards string, vlan int) string {
	if vlan == 0 {
		return cards
	}
	return fmt.Sprintf("%s in VLAN %d", cards, vlan)
}

// answer is what was heard on a card.
type answer struct {
	card string
	who  net.HardwareAddr
	err  error
}

// whoHas asks on all the cards at once. An answer on one counts, whatever the
// others could not do.
func (r *run) whoHas(ctx context.Context, cards []string, vlan int, address netip.Addr) (out answer) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	answers := make(chan answer, len(cards))
	for _, card := range cards {
		go func() {
			who, err := r.env.WhoHas(ctx, card, vlan, address)
			answers <- answer{card, who, err}
		}()
	}
	for range cards {
		switch a := <-answers; {
		case out.who != nil:
		case a.who != nil:
			out = a
			stop()
		case out.err == nil:
			out = a
		}
	}
	return out
}
