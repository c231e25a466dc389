package spec

import (
	"net"
	"regexp"
	"strings"
)

func (p *problems) nodes(nodes []Node) {
	names, macs, serials, uuids, disks := owners{}, owners{}, owners{}, owners{}, owners{}
	for i, n := range nodes {
		at := item("nodes", i)
		p.label(child(at, "name"), n.Name, "a node's name")
		p.once(names, child(at, "name"), n.Name, at, "each node its own name")
		if n.Role == "" {
			p.bad(child(at, "role"), quoted(n.Role), "one of "+ControlPlane+", "+Worker, "")
		}
		p.oneOf(child(at, "role"), n.Role, ControlPlane, Worker)
		p.match(child(at, "match"), n.Match)
		p.once(macs, child(at, "match.mac"), canonicalMAC(n.Match.MAC), at, "each network card in one entry")
		p.once(serials, child(at, "match.serial"), n.Match.Serial, at, "each machine in one entry")
		p.once(uuids, child(at, "match.uuid"), strings.ToLower(n.Match.UUID), at, "each machine in one entry")
		p.disk(child(at, "disk"), n.Disk)
		p.once(disks, child(at, "disk.serial"), n.Disk.Serial, at, "each disk in one entry")
		p.nodeNetwork(child(at, "network"), n.Network, true)
	}
}

// owners remembers which entry had a value first.
type owners map[string]string

func (p *problems) once(seen owners, path, value, owner, need string) {
	if value == "" {
		return
	}
	if first, dup := seen[value]; dup {
		p.clash(path, quoted(value)+", which "+first+" has already", need, "")
		return
	}
	seen[value] = owner
}

// placeholders are product serial numbers that makers leave in firmware: an
// entry that names one would match any machine of that maker.
var placeholders = []string{"none", "default string", "to be filled by o.e.m.", "system serial number",
	"not specified", "not applicable", "unknown", "0", "0123456789", "123456789", "n/a"}

// RFC 9562 section 4.
var uuidForm = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

func (p *problems) match(at string, m Match) {
	if m.MAC != "" && canonicalMAC(m.MAC) == "" {
		p.bad(child(at, "mac"), quoted(m.MAC), "the address of one network card, as in 52:54:00:12:34:56", "")
	}
	for _, s := range placeholders {
		if strings.EqualFold(m.Serial, s) {
			p.bad(child(at, "serial"), quoted(m.Serial)+", a maker's placeholder", "the serial number of one machine", "match by mac or uuid instead")
		}
	}
	if m.UUID == "" {
		return
	}
	digits := strings.Trim(strings.ToLower(m.UUID), "-")
	if !uuidForm.MatchString(m.UUID) {
		p.bad(child(at, "uuid"), quoted(m.UUID), "a UUID such as 4c4c4544-0042-3510-8052-b4c04f564433", "")
	} else if strings.Trim(digits, "0-") == "" || strings.Trim(digits, "f-") == "" {
		p.bad(child(at, "uuid"), quoted(m.UUID)+", a maker's placeholder", "the UUID of one machine", "match by mac or serial instead")
	}
}

// canonicalMAC is the one way to write a 48-bit unicast address (IEEE 802), or
// "" if s is none.
func canonicalMAC(s string) string {
	hw, err := net.ParseMAC(s)
	if err != nil || len(hw) != 6 || hw[0]&1 == 1 || hw.String() == "00:00:00:00:00:00" {
		return ""
	}
	return hw.String()
}

// kernelDisk is a name that the kernel gives in the order it finds disks, which
// differs from one start to the next.
var kernelDisk = regexp.MustCompile(`^(sd[a-z]+|vd[a-z]+|hd[a-z]+|nvme\d+n\d+|mmcblk\d+)(p?\d+)?$`)

func (p *problems) disk(at string, d Disk) {
	var given []string
	if d.ByID != "" {
		given = append(given, "byID")
		name := strings.TrimPrefix(d.ByID, "/dev/disk/by-id/")
		switch {
		case kernelDisk.MatchString(strings.TrimPrefix(name, "/dev/")):
			p.bad(child(at, "byID"), quoted(d.ByID)+", a name that may go to another disk at the next start", "a name under /dev/disk/by-id", "choose by disk.serial, or list names with: ls /dev/disk/by-id")
		case name != d.ByID:
			p.bad(child(at, "byID"), quoted(d.ByID), "the name without the folder", "write "+name)
		case strings.Contains(name, "/") || name == "." || name == "..":
			p.bad(child(at, "byID"), quoted(d.ByID), "a name under /dev/disk/by-id", "")
		case regexp.MustCompile(`-part\d+$`).MatchString(name):
			p.bad(child(at, "byID"), quoted(d.ByID)+", a partition", "a whole disk", "leave out the ending -part and its number")
		}
	}
	if d.Serial != "" {
		given = append(given, "serial")
	}
	if d.Choose != "" {
		given = append(given, "choose")
		p.oneOf(child(at, "choose"), d.Choose, "smallest", "largest")
	}
	if len(given) > 1 {
		p.clash(at, strings.Join(given, " and "), "one way to choose the disk", "the disk is erased: say once, and exactly, which it is")
	}
}
