package build

import (
	"fmt"
	"strings"
)

// account is a system user or group whose id must never change: files on STATE
// carry the number, and the image under them is replaced. Debian gives these
// ids out in the order in which packages happen to be set up. A user without a
// group of its own is in nogroup.
type account struct {
	name     string
	id       int
	user     bool
	ownGroup bool
	home     string
	about    string
}

// accounts are those of the packages in nodeos.Wants, below Debian's own fixed
// ones (base-passwd, up to 99). The numbers are those systemd chose in the first
// image; later ones go downwards.
var accounts = []account{
	{name: "systemd-journal", id: 999},
	{name: "systemd-network", id: 998, user: true, ownGroup: true, home: "/", about: "systemd Network Management"},
	{name: "systemd-timesync", id: 997, user: true, ownGroup: true, home: "/", about: "systemd Time Synchronization"},
	{name: "messagebus", id: 996, user: true, ownGroup: true, home: "/nonexistent", about: "System Message Bus"},
	{name: "input", id: 995},
	{name: "sgx", id: 994},
	{name: "clock", id: 993},
	{name: "kvm", id: 992},
	{name: "render", id: 991},
	{name: "sshd", id: 990, user: true, home: "/run/sshd", about: "sshd user"},
	{name: "_ssh", id: 989},
	{name: "uuidd", id: 988, user: true, ownGroup: true, home: "/run/uuidd", about: "UUID generator helper daemon"},
}

const nogroup = 65534

// accountFiles are the lines to append to /etc/passwd, group, shadow and gshadow
// (passwd(5), shadow(5)); every password is locked.
func accountFiles() map[string]string {
	var passwd, group, shadow, gshadow strings.Builder
	for _, a := range accounts {
		if a.user {
			gid := nogroup
			if a.ownGroup {
				gid = a.id
			}
			fmt.Fprintf(&passwd, "%s:x:%d:%d:%s:%s:/usr/sbin/nologin\n", a.name, a.id, gid, a.about, a.home)
			fmt.Fprintf(&shadow, "%s:!*:::::::\n", a.name)
		}
		if !a.user || a.ownGroup {
			fmt.Fprintf(&group, "%s:x:%d:\n", a.name, a.id)
			fmt.Fprintf(&gshadow, "%s:!*::\n", a.name)
		}
	}
	return map[string]string{"passwd": passwd.String(), "group": group.String(), "shadow": shadow.String(), "gshadow": gshadow.String()}
}

// sysusers says the same for a node whose own /etc/passwd is older than the
// image: systemd-sysusers adds what is missing, with these ids (sysusers.d(5)).
func sysusers() string {
	var b strings.Builder
	b.WriteString("# Fixed ids; this file sorts first, so its lines win over the packages' own.\n")
	for _, a := range accounts {
		switch {
		case !a.user:
			fmt.Fprintf(&b, "g %s %d\n", a.name, a.id)
		case a.ownGroup:
			fmt.Fprintf(&b, "u %s %d %q %s\n", a.name, a.id, a.about, a.home)
		default:
			fmt.Fprintf(&b, "u %s %d:%d %q %s\n", a.name, a.id, nogroup, a.about, a.home)
		}
	}
	return b.String()
}
