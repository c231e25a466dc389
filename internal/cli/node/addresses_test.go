package node

import (
	"fmt"
	"net"
	"testing"
)

// TestReachableAddresses: what only the node itself can use is no address of it.
func TestReachableAddresses(t *testing.T) {
	var list []net.Addr
	for _, s := range []string{"127.0.0.1/8", "10.20.0.11/24", "::1/128", "fe80::1/64", "203.0.113.254/31", "fd00::5/64"} {
		ip, n, err := net.ParseCIDR(s)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, &net.IPNet{IP: ip, Mask: n.Mask})
	}
	if have := fmt.Sprint(reachable(list)); have != "[10.20.0.11 fd00::5]" {
		t.Errorf("have %s, need 10.20.0.11 and fd00::5", have)
	}
}
