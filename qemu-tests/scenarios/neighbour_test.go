//go:build e2e

package scenarios

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"caisson.dev/caisson/qemu-tests/vm"
)

// neighbour is another machine at the node's cable: the test itself. What a node
// answers to it, in which VLAN and in frames of which size, is the judge of what
// the node says of its own network.
type neighbour struct {
	conn *net.UnixConn
	node string // socket of the node's end of the cable
}

// The neighbour's own addresses.
var (
	neighbourMAC = net.HardwareAddr{0x52, 0x54, 0x00, 0xca, 0x16, 0x09}
	neighbourIP  = netip.MustParseAddr("10.20.0.9")
	broadcast    = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
)

// IEEE 802 numbers, and how long one question waits for its answer.
const (
	typeIPv4 = 0x0800
	typeARP  = 0x0806
	typeVLAN = 0x8100

	oneQuestion = 2 * time.Second
)

// attachNeighbour sits down at the far end of a cable.
func attachNeighbour(t *testing.T, w vm.Wire) neighbour {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: w.Peer, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return neighbour{conn, w.Own}
}

// frame is one Ethernet frame (IEEE 802.3, with 802.1Q's tag if vlan is not 0).
type frame struct {
	to, from net.HardwareAddr
	vlan     int
	kind     uint16
	payload  []byte
}

func (f frame) bytes() []byte {
	b := append(append([]byte{}, f.to...), f.from...)
	if f.vlan != 0 {
		b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, typeVLAN), uint16(f.vlan))
	}
	return append(binary.BigEndian.AppendUint16(b, f.kind), f.payload...)
}

func parseFrame(b []byte) (frame, bool) {
	if len(b) < 14 {
		return frame{}, false
	}
	f := frame{to: b[:6], from: b[6:12], kind: binary.BigEndian.Uint16(b[12:]), payload: b[14:]}
	if f.kind == typeVLAN && len(b) >= 18 {
		f.vlan, f.kind, f.payload = int(binary.BigEndian.Uint16(b[14:])&0xfff), binary.BigEndian.Uint16(b[16:]), b[18:]
	}
	return f, true
}

// arp is a packet of RFC 826 from the neighbour.
func arp(op uint16, toMAC net.HardwareAddr, to netip.Addr) []byte {
	b := []byte{0, 1, 8, 0, 6, 4, 0, byte(op)}
	b = append(append(b, neighbourMAC...), neighbourIP.AsSlice()...)
	return append(append(b, toMAC...), to.AsSlice()...)
}

// ask sends a frame and gives each frame of the node in that VLAN to see, until it
// is satisfied or the time for one question is over.
func (n neighbour) ask(t *testing.T, f frame, see func(frame) bool) bool {
	t.Helper()
	_, err := n.conn.WriteToUnix(f.bytes(), &net.UnixAddr{Name: n.node, Net: "unixgram"})
	if err != nil && !errors.Is(err, os.ErrNotExist) { // a machine that is off has no socket
		t.Logf("the cable: %v", err)
	}
	end := time.Now().Add(oneQuestion)
	buf := make([]byte, 1<<16)
	for {
		if err := n.conn.SetReadDeadline(end); err != nil {
			t.Fatal(err)
		}
		size, err := n.conn.Read(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		got, ok := parseFrame(bytes.Clone(buf[:size]))
		if !ok || got.vlan != f.vlan || bytes.Equal(got.from, neighbourMAC) {
			continue
		}
		if got.kind == typeARP && len(got.payload) >= 28 && got.payload[7] == 1 && bytes.Equal(got.payload[24:28], neighbourIP.AsSlice()) {
			reply := frame{got.from, neighbourMAC, got.vlan, typeARP, arp(2, got.from, netip.AddrFrom4([4]byte(got.payload[14:18])))}
			_, _ = n.conn.WriteToUnix(reply.bytes(), &net.UnixAddr{Name: n.node, Net: "unixgram"})
		}
		if see(got) {
			return true
		}
	}
}

// has asks once who has an address in a VLAN (0: untagged), and gives its card.
func (n neighbour) has(t *testing.T, address string, vlan int) (card net.HardwareAddr, ok bool) {
	t.Helper()
	ip := netip.MustParseAddr(address)
	question := frame{broadcast, neighbourMAC, vlan, typeARP, arp(1, make(net.HardwareAddr, 6), ip)}
	ok = n.ask(t, question, func(f frame) bool {
		card = f.from
		return f.kind == typeARP && len(f.payload) >= 28 && f.payload[7] == 2 && bytes.Equal(f.payload[14:18], ip.AsSlice())
	})
	return card, ok
}

// waitFor asks until the node has the address in this VLAN.
func (n neighbour) waitFor(t *testing.T, ctx context.Context, address string, vlan int) net.HardwareAddr {
	t.Helper()
	for {
		if card, ok := n.has(t, address, vlan); ok {
			t.Logf("%s answers in VLAN %d", address, vlan)
			return card
		}
		if ctx.Err() != nil {
			t.Fatalf("nobody has %s in VLAN %d: %v", address, vlan, context.Cause(ctx))
		}
	}
}

// nobody fails if the address answers in this VLAN. Ask it once another address
// has answered, so that silence is no slowness.
func (n neighbour) nobody(t *testing.T, address string, vlan int) {
	t.Helper()
	for range 3 {
		if card, ok := n.has(t, address, vlan); ok {
			t.Errorf("%s answers in VLAN %d from %s, want nobody there", address, vlan, card)
			return
		}
	}
}

// largest pings an address with 1400 bytes and gives the size of the largest IPv4
// packet that the answer came in: its sender cuts it to its MTU (RFC 791).
func (n neighbour) largest(t *testing.T, card net.HardwareAddr, address string, vlan int) (size int) {
	t.Helper()
	echo := append([]byte{8, 0, 0, 0, 0x0c, 0xa1, 0, 1}, make([]byte, 1400)...) // RFC 792
	binary.BigEndian.PutUint16(echo[2:], checksum(echo))
	head := []byte{0x45, 0, 0, 0, 0, 1, 0, 0, 64, 1, 0, 0}
	binary.BigEndian.PutUint16(head[2:], uint16(20+len(echo)))
	head = append(append(head, neighbourIP.AsSlice()...), netip.MustParseAddr(address).AsSlice()...)
	binary.BigEndian.PutUint16(head[10:], checksum(head))
	for range 5 {
		if n.ask(t, frame{card, neighbourMAC, vlan, typeIPv4, append(head, echo...)}, func(f frame) bool {
			if f.kind != typeIPv4 || len(f.payload) < 20 || f.payload[9] != 1 {
				return false
			}
			size = max(size, int(binary.BigEndian.Uint16(f.payload[2:])))
			return f.payload[6]&0x20 == 0 // no more fragments
		}) {
			return size
		}
	}
	t.Errorf("%s does not answer a ping in VLAN %d", address, vlan)
	return size
}

// checksum is the Internet's (RFC 1071); b has an even length.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
