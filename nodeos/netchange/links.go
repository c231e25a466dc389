package netchange

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// takeUp makes systemd-networkd take the files up that are there now. It reads
// them anew and reconfigures the links whose file changed, but it removes no link
// whose file is gone (networkctl(1), reload).
func (n Node) takeUp(ctx context.Context, c Change, back bool) error {
	from, to := c.Old, c.New
	if back {
		from, to = to, from
	}
	if err := n.Run(ctx, "networkctl", "reload"); err != nil {
		return err
	}
	if from.VLAN != 0 && from.VLAN != to.VLAN && n.isLink(spec.VLANLink(from.VLAN)) {
		if err := n.Run(ctx, "networkctl", "delete", spec.VLANLink(from.VLAN)); err != nil {
			return err
		}
	}
	if noDummy(c.Files, back) && n.isLink(spec.DummyLink) {
		if err := n.Run(ctx, "networkctl", "delete", spec.DummyLink); err != nil {
			return err
		}
	}
	if top := made(to); top != "" {
		if err := n.appears(ctx, top); err != nil {
			return err
		}
		// A VLAN cannot have a larger MTU than what it is on: once more, now that
		// the lower link has its own.
		if err := n.Run(ctx, "networkctl", "reconfigure", top); err != nil {
			return err
		}
	}
	for _, unit := range c.Restart {
		if err := n.Run(ctx, "systemctl", "--no-block", "try-restart", unit); err != nil {
			return err
		}
	}
	return nil
}

// noDummy tells whether the dummy link is made no more. Its default route would lead
// nowhere for those who believe it.
func noDummy(files []profiles.FileChange, back bool) bool {
	name := []byte("Name=" + spec.DummyLink + "\n")
	was, is := false, false
	for _, f := range files {
		old, now := f.Old, f.New
		if back {
			old, now = now, old
		}
		if strings.HasSuffix(f.Path, ".netdev") {
			was, is = was || bytes.Contains(old, name), is || bytes.Contains(now, name)
		}
	}
	return was && !is
}

// made is the link with the address, if the node makes it itself.
func made(n spec.NodeNetwork) string {
	switch {
	case n.VLAN != 0:
		return spec.VLANLink(n.VLAN)
	case len(n.Bond.Interfaces) > 0:
		return spec.BondLink
	}
	return ""
}

func (n Node) isLink(name string) bool {
	_, err := os.Stat(n.path("/sys/class/net/" + name))
	return err == nil
}

// appears waits for a link: networkd makes it in its own time.
func (n Node) appears(ctx context.Context, name string) error {
	wait := n.Wait
	if wait == 0 {
		wait = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for !n.isLink(name) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("have no link %s after %s, need it: is its card there?", name, wait)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}
