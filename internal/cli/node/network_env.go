package node

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"caisson.dev/caisson/internal/arp"
	"caisson.dev/caisson/internal/system"
)

// networkEnvironment is the part of the environment that an install meets the
// network with.
type networkEnvironment interface {
	// RaiseCard brings a network card up if it is down. It gets no address.
	RaiseCard(ctx context.Context, card string) error
	// WhoHas asks on a card, in a VLAN or untagged (0), who has an address; nil if
	// nobody answers.
	WhoHas(ctx context.Context, card string, vlan int, address netip.Addr) (net.HardwareAddr, error)
}

// RaiseCard leaves a card that is up as it is. One that it brings up makes itself
// no IPv6 address, so that it says nothing by itself.
func (machineEnvironment) RaiseCard(ctx context.Context, card string) error {
	flags, err := os.ReadFile("/sys/class/net/" + card + "/flags")
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(flags)), 0, 32)
	if err != nil || n&unix.IFF_UP != 0 {
		return err
	}
	sys := system.Linux{Log: io.Discard}
	// A kernel without IPv6 refuses this, and need not be told.
	_ = sys.Run(ctx, system.Command{Argv: []string{"ip", "link", "set", "dev", card, "addrgenmode", "none"}})
	return sys.Run(ctx, system.Command{Argv: []string{"ip", "link", "set", "dev", card, "up"}})
}

func (machineEnvironment) WhoHas(ctx context.Context, card string, vlan int, address netip.Addr) (net.HardwareAddr, error) {
	return arp.WhoHas(ctx, card, vlan, address)
}
