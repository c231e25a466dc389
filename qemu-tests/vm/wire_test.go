package vm

import (
	"slices"
	"strings"
	"testing"
)

func TestWire(t *testing.T) {
	c := complete()
	c.Wire = Wire{MAC: "52:54:00:ca:16:01", Own: "/w/a,b", Peer: "/w/c"}
	argv, err := Argv(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"dgram,id=wire,local.type=unix,local.path=/w/a,,b,remote.type=unix,remote.path=/w/c", "virtio-net-pci,id=wire0,netdev=wire,mac=52:54:00:ca:16:01"} {
		if !slices.Contains(argv, want) {
			t.Errorf("%q is not in %q", want, argv)
		}
	}
	for _, w := range []Wire{{MAC: "x", Own: "/a", Peer: "/b"}, {Own: "/a", Peer: "/b"}, {MAC: "52:54:00:ca:16:01", Peer: "/b"}, {MAC: "52:54:00:ca:16:01", Own: "/a", Peer: strings.Repeat("p", 108)}} {
		c.Wire = w
		if _, err := Argv(c); !ConfigWrong.Is(err) {
			t.Errorf("%+v: have %v, need VM-CONFIG-WRONG", w, err)
		}
	}
}
