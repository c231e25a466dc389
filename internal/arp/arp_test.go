package arp

import (
	"bytes"
	"encoding/hex"
	"net"
	"net/netip"
	"strings"
	"testing"
)

var (
	mine    = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	theirs  = net.HardwareAddr{2, 0, 0, 0, 0, 2}
	address = netip.MustParseAddr("10.20.0.31")
)

// TestProbe holds the question to RFC 5227: sender 0.0.0.0, target's hardware unknown.
func TestProbe(t *testing.T) {
	want := "0001" + "0800" + "06" + "04" + "0001" + "020000000001" + "00000000" + "000000000000" + "0a14001f"
	if have := hex.EncodeToString(probe(mine, address)); have != want {
		t.Errorf("have %s\nwant %s", have, want)
	}
}

// message is one as others send it: operation, sender, sender's and target's address.
func message(operation byte, sender net.HardwareAddr, from, to string) []byte {
	b := probe(sender, netip.MustParseAddr(to))
	b[7] = operation
	f := netip.MustParseAddr(from).As4()
	copy(b[14:], f[:])
	return b
}

func TestClaims(t *testing.T) {
	change := func(b []byte, at int, to byte) []byte { b[at] = to; return b }
	for _, c := range []struct {
		name string
		b    []byte
		want bool
	}{
		{"an answer", message(reply, theirs, "10.20.0.31", "0.0.0.0"), true},
		{"an answer with padding", append(message(reply, theirs, "10.20.0.31", "0.0.0.0"), make([]byte, 18)...), true},
		{"its owner asks for another", message(request, theirs, "10.20.0.31", "10.20.0.1"), true},
		{"somebody asks as we do", message(request, theirs, "0.0.0.0", "10.20.0.31"), true},
		{"our own question", message(request, mine, "0.0.0.0", "10.20.0.31"), false},
		{"our own other card", message(reply, mine, "10.20.0.31", "0.0.0.0"), false},
		{"somebody asks for its owner", message(request, theirs, "10.20.0.1", "10.20.0.31"), false},
		{"an answer for another", message(reply, theirs, "10.20.0.32", "0.0.0.0"), false},
		{"an answer to our question by nobody", message(reply, theirs, "0.0.0.0", "10.20.0.31"), false},
		{"cut", message(reply, theirs, "10.20.0.31", "0.0.0.0")[:27], false},
		{"empty", nil, false},
		{"another operation", message(3, theirs, "10.20.0.31", "0.0.0.0"), false},
		{"another hardware", change(message(reply, theirs, "10.20.0.31", "0.0.0.0"), 1, 6), false},
		{"another protocol", change(message(reply, theirs, "10.20.0.31", "0.0.0.0"), 2, 0x86), false},
		{"another length of hardware", change(message(reply, theirs, "10.20.0.31", "0.0.0.0"), 4, 8), false},
	} {
		who, yes := claims(c.b, address, []net.HardwareAddr{mine})
		if yes != c.want || yes && !bytes.Equal(who, theirs) {
			t.Errorf("%s: %v by %v, want %v", c.name, yes, who, c.want)
		}
	}
}

// FuzzClaims: whatever comes in, a claim is by somebody who is not this machine.
func FuzzClaims(f *testing.F) {
	f.Add(message(reply, theirs, "10.20.0.31", "0.0.0.0"))
	f.Add([]byte(strings.Repeat("\x00", length)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if who, yes := claims(b, address, []net.HardwareAddr{mine}); yes && (len(who) != 6 || bytes.Equal(who, mine)) {
			t.Errorf("a claim by %v", who)
		}
	})
}
