// Package arp asks the network that a card is plugged into whether somebody has
// an IPv4 address already: ARP Probes as in RFC 5227, section 2.1.1, which tell
// nobody's cache anything, as their sender has no address yet.
//
// It leaves out what to do about an answer, and bringing the card up: the program
// on the medium decides. It makes no link for a VLAN: it sends the tag itself, and
// hears only what has the same, so that nothing is left behind if it is killed. The
// socket is mdlayher/packet's; the bytes of a message are made and read here. It
// is a leaf: it imports nothing of Caisson but the shape of errors.
package arp

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
)

// The fields of a message on Ethernet for IPv4 (RFC 826).
const (
	etherType = 0x0806
	tagType   = 0x8100 // IEEE 802.1Q
	header    = 14     // as it is read: the kernel takes the tag out
	length    = 28
	ethernet  = 1
	ipv4      = 0x0800
	request   = 1
	reply     = 2
)

// probe is the question who has target, asked by nobody in particular.
func probe(from net.HardwareAddr, target netip.Addr) []byte {
	b := make([]byte, length)
	binary.BigEndian.PutUint16(b[0:], ethernet)
	binary.BigEndian.PutUint16(b[2:], ipv4)
	b[4], b[5] = 6, 4
	binary.BigEndian.PutUint16(b[6:], request)
	copy(b[8:14], from)
	t := target.As4()
	copy(b[24:28], t[:])
	return b
}

// frame is the question as it goes onto the cable, to everybody; vlan 0 is none.
func frame(from net.HardwareAddr, vlan int, target netip.Addr) []byte {
	b := append(bytes.Repeat([]byte{0xff}, 6), from...)
	if vlan != 0 {
		b = binary.BigEndian.AppendUint16(b, tagType)
		b = binary.BigEndian.AppendUint16(b, uint16(vlan))
	}
	b = binary.BigEndian.AppendUint16(b, etherType)
	return append(b, probe(from, target)...)
}

// claims reads a message as a claim on the address: its sender has it, or is
// asking for it at this moment, as we do. own are this machine's cards, whose
// messages do not count.
func claims(b []byte, address netip.Addr, own []net.HardwareAddr) (who net.HardwareAddr, yes bool) {
	if len(b) < length || binary.BigEndian.Uint16(b) != ethernet || binary.BigEndian.Uint16(b[2:]) != ipv4 || b[4] != 6 || b[5] != 4 {
		return nil, false
	}
	operation := binary.BigEndian.Uint16(b[6:])
	sender, target := netip.AddrFrom4([4]byte(b[14:18])), netip.AddrFrom4([4]byte(b[24:28]))
	switch {
	case operation != request && operation != reply:
		return nil, false
	case sender == address:
	case operation == request && sender.IsUnspecified() && target == address:
	default:
		return nil, false
	}
	who = bytes.Clone(b[8:14])
	for _, mac := range own {
		if bytes.Equal(mac, who) {
			return nil, false
		}
	}
	return who, true
}
