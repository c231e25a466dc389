package machine

import (
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"caisson.dev/caisson/spec"
)

// NICs lists the network cards under /sys/class/net.
func NICs(root fs.FS) []NIC {
	var out []NIC
	for _, name := range cards(root) {
		dir := path.Join("sys/class/net", name)
		n := NIC{
			Name:  name,
			MAC:   strings.ToLower(text(root, dir+"/address")),
			Link:  linked(root, name),
			Speed: speed(text(root, dir+"/speed")),
			Model: nicModel(root, dir),
		}
		if driver, err := fs.ReadLink(root, dir+"/device/driver"); err == nil {
			n.Driver = path.Base(driver)
		}
		out = append(out, n)
	}
	return out
}

// speed reads Mb/s. Drivers say -1, or 2^32-1, or refuse to be read, where
// nothing is known.
func speed(s string) int {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n <= 0 {
		return -1
	}
	return int(n)
}

// nicModel is what udev's hardware database calls the card. A system without it
// has the vendor's and the device's number, by which the card can be looked up.
func nicModel(root fs.FS, dir string) string {
	udev := udevProperties(root, "n"+text(root, dir+"/ifindex"))
	words := strings.TrimSpace(udev["ID_VENDOR_FROM_DATABASE"] + " " + udev["ID_MODEL_FROM_DATABASE"])
	vendor, device := text(root, dir+"/device/vendor"), text(root, dir+"/device/device")
	if words == "" && vendor != "" && device != "" {
		return strings.TrimPrefix(vendor, "0x") + ":" + strings.TrimPrefix(device, "0x")
	}
	return words
}

// Cards are the cards that a node's network is on, in the order it names them,
// and the names that no card has. A network on no card in particular is on all.
func (m Machine) Cards(n spec.NodeNetwork) (cards []NIC, missing []string) {
	names := n.Bond.Interfaces
	switch {
	case n.Interface == spec.NoInterface:
		return nil, nil
	case n.Interface != "":
		names = []string{n.Interface}
	case len(names) == 0:
		return m.NICs, nil
	}
	for _, name := range names {
		i := slices.IndexFunc(m.NICs, func(c NIC) bool {
			return c.Name == name || strings.EqualFold(c.MAC, strings.ReplaceAll(name, "-", ":"))
		})
		if i < 0 {
			missing = append(missing, name)
			continue
		}
		cards = append(cards, m.NICs[i])
	}
	return cards, missing
}

// Links says of each card whether it has a link: the part of a Machine that
// changes while one looks, and cheap to read.
func Links(root fs.FS) map[string]bool {
	out := map[string]bool{}
	for _, n := range cards(root) {
		out[n] = linked(root, n)
	}
	return out
}

// cards are the kernel's names of the network cards. What has no device behind
// it is loopback, a bridge, a dummy.
func cards(root fs.FS) []string {
	entries, err := fs.ReadDir(root, "sys/class/net")
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if _, err := fs.Stat(root, path.Join("sys/class/net", e.Name(), "device")); err == nil {
			out = append(out, e.Name())
		}
	}
	return out
}

// Carrier says whether a link that is no card, such as a bond, has one.
func Carrier(root fs.FS, link string) bool { return linked(root, link) }

// linked says whether a carrier is seen. A card that is not up sees none: the
// kernel refuses to say.
func linked(root fs.FS, card string) bool {
	return text(root, path.Join("sys/class/net", card, "carrier")) == "1"
}
