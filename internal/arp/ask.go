package arp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A person waits for the answer, so that the times are shorter than those of RFC
// 5227 (three probes in three to nine seconds). A machine on the same cable
// answers within milliseconds.
const (
	probes  = 3
	between = 600 * time.Millisecond
)

// WhoHas asks on a card, by its kernel name, who has the address, and gives the
// hardware address of who answers; nil if nobody does. It asks in a VLAN, or
// untagged if vlan is 0. The card must be up.
func WhoHas(ctx context.Context, card string, vlan int, address netip.Addr) (net.HardwareAddr, error) {
	link, err := net.InterfaceByName(card)
	if err != nil {
		return nil, Failed.New("cannot ask who has %s: %s: %w", address, card, err)
	}
	own, err := ownCards()
	if err != nil {
		return nil, Failed.New("cannot ask who has %s: %w", address, err)
	}
	conn, err := open(link, vlan)
	if err != nil {
		return nil, Failed.New("cannot ask who has %s on %s: %w", address, card, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	everybody := &packet.Addr{HardwareAddr: net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}
	for range probes {
		if _, err := conn.WriteTo(frame(link.HardwareAddr, vlan, address), everybody); err != nil && ctx.Err() == nil {
			return nil, Failed.New("cannot ask who has %s on %s: %w", address, card, err).Hint("is its cable in?")
		}
		who, err := listen(ctx, conn, address, own)
		if who != nil || err != nil {
			return who, err
		}
	}
	return nil, nil
}

// open is a socket that hears the messages of one VLAN, or those without a tag. All
// types are asked for, so that a link in that VLAN does not take them first.
func open(link *net.Interface, vlan int) (*packet.Conn, error) {
	only, err := bpf.Assemble(filter(vlan))
	if err != nil {
		return nil, err
	}
	conn, err := packet.Listen(link, packet.Raw, unix.ETH_P_ALL, &packet.Config{Filter: only})
	if err != nil || vlan == 0 {
		return conn, err
	}
	// A card drops the tags that it was told of by no link, but for this. It ends
	// with the socket.
	if err := conn.SetPromiscuous(true); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// filter passes ARP with the tag of the VLAN. On a trunk, a plain socket would hear
// those of every VLAN, and the same address in another is another's. A tag of VLAN 0
// has only a priority.
func filter(vlan int) []bpf.Instruction {
	const all = 1 << 16
	untagged := uint32(all)
	if vlan != 0 {
		untagged = 0
	}
	return []bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtProto},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: etherType, SkipTrue: 8},
		bpf.LoadExtension{Num: bpf.ExtVLANTagPresent},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 1},
		bpf.RetConstant{Val: untagged},
		bpf.LoadExtension{Num: bpf.ExtVLANProto},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: tagType, SkipTrue: 3},
		bpf.LoadExtension{Num: bpf.ExtVLANTag},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xfff},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(vlan), SkipTrue: 1},
		bpf.RetConstant{Val: 0},
		bpf.RetConstant{Val: all},
	}
}

// listen waits for a claim until the next probe is due.
func listen(ctx context.Context, conn *packet.Conn, address netip.Addr, own []net.HardwareAddr) (net.HardwareAddr, error) {
	if err := conn.SetReadDeadline(time.Now().Add(between)); err != nil {
		return nil, err
	}
	b := make([]byte, 128) // more than a message; Ethernet pads it
	for ctx.Err() == nil {
		n, _, err := conn.ReadFrom(b)
		switch who, yes := claims(b[min(n, header):n], address, own); {
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
