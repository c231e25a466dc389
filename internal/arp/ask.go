package arp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/mdlayher/packet"
)

// A person waits for the answer, so that the times are shorter than those of RFC
// 5227 (three probes in three to nine seconds). A machine on the same cable
// answers within milliseconds.
const (
	probes  = 3
	between = 600 * time.Millisecond
)

// WhoHas asks on a card, by its kernel name, who has the address, and gives the
// hardware address of who answers; nil if nobody does. The card must be up.
func WhoHas(ctx context.Context, card string, address netip.Addr) (net.HardwareAddr, error) {
	link, err := net.InterfaceByName(card)
	if err != nil {
		return nil, Failed.New("cannot ask who has %s: %s: %w", address, card, err)
	}
	own, err := ownCards()
	if err != nil {
		return nil, Failed.New("cannot ask who has %s: %w", address, err)
	}
	conn, err := packet.Listen(link, packet.Datagram, etherType, nil)
	if err != nil {
		return nil, Failed.New("cannot ask who has %s on %s: %w", address, card, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	everybody := &packet.Addr{HardwareAddr: net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}
	for range probes {
		if _, err := conn.WriteTo(probe(link.HardwareAddr, address), everybody); err != nil && ctx.Err() == nil {
			return nil, Failed.New("cannot ask who has %s on %s: %w", address, card, err).Hint("is its cable in?")
		}
		who, err := listen(ctx, conn, address, own)
		if who != nil || err != nil {
			return who, err
		}
	}
	return nil, nil
}

// listen waits for a claim until the next probe is due.
func listen(ctx context.Context, conn *packet.Conn, address netip.Addr, own []net.HardwareAddr) (net.HardwareAddr, error) {
	if err := conn.SetReadDeadline(time.Now().Add(between)); err != nil {
		return nil, err
	}
	b := make([]byte, 128) // more than a message; Ethernet pads it
	for ctx.Err() == nil {
		n, _, err := conn.ReadFrom(b)
		switch who, yes := claims(b[:n], address, own); {
		case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil:
			return nil, nil
		case err != nil && ctx.Err() == nil:
			return nil, Failed.New("cannot hear who has %s: %w", address, err)
		case yes:
			return who, nil
		}
	}
	return nil, context.Cause(ctx)
}

// ownCards are the hardware addresses of this machine.
func ownCards() (out []net.HardwareAddr, err error) {
	all, err := net.Interfaces()
	for _, i := range all {
		if len(i.HardwareAddr) == 6 {
			out = append(out, i.HardwareAddr)
		}
	}
	return out, err
}
