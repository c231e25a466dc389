package machine

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// nics lists the network cards under /sys/class/net.
func nics(root fs.FS) []NIC {
	var out []NIC
	entries, err := fs.ReadDir(root, "sys/class/net")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		dir := path.Join("sys/class/net", e.Name())
		// Without a device behind it, it is loopback, a bridge, a dummy.
		if _, err := fs.Stat(root, dir+"/device"); err != nil {
			continue
		}
		n := NIC{
			Name:  e.Name(),
			MAC:   strings.ToLower(text(root, dir+"/address")),
			Link:  text(root, dir+"/carrier") == "1",
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
