package vm

import (
	"fmt"
	"net"
)

// Wire is one end of a cable between two machines of a test, and a card at it.
// Nothing else is at the cable: neither this computer nor its network. The
// machines may start in any order; what is sent to one that is off is lost.
type Wire struct {
	MAC  string // of the card; empty: there is no card
	Own  string // socket that this machine's QEMU makes
	Peer string // socket of the other one's
}

func (w Wire) check() error {
	if w == (Wire{}) {
		return nil
	}
	if mac, err := net.ParseMAC(w.MAC); err != nil || len(mac) != 6 {
		return wrong("card of the wire", w.MAC, "a MAC of six bytes")
	}
	for _, path := range []string{w.Own, w.Peer} {
		if path == "" || len(path) > socketPathMax {
			return wrong("socket of the wire "+path, fmt.Sprintf("%d bytes", len(path)), fmt.Sprintf("1 to %d", socketPathMax))
		}
	}
	return nil
}

// args are QEMU's, from version 7.2 on.
func (w Wire) args() []string {
	if w == (Wire{}) {
		return nil
	}
	return []string{
		"-netdev", "dgram,id=wire,local.type=unix,local.path=" + esc(w.Own) + ",remote.type=unix,remote.path=" + esc(w.Peer),
		"-device", "virtio-net-pci,id=wire0,netdev=wire,mac=" + w.MAC,
	}
}
