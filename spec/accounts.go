package spec

import (
	"slices"
	"strings"
)

// systemNames are the users and groups that a node has before any person's.
// useradd makes a group of the user's own name, so that a group stands in the
// way as an account does; and giving an account of programs a key or a password
// would open it.
var systemNames = slices.Concat(
	// Users and groups of Debian's base-passwd, in the order of its files.
	strings.Fields("root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc nobody"),
	strings.Fields("adm tty disk kmem dialout fax voice cdrom floppy tape sudo audio dip operator src shadow utmp video sasl plugdev staff users nogroup"),
	// Those that the node OS gives fixed ids (a test there holds them together)
	// or that its packages may come to ask for.
	strings.Fields("messagebus input sgx clock kvm render sshd uuidd polkitd rdma ssh tss"),
	// Caisson's own, and the profile's.
	strings.Fields("caisson etcd"),
)

// SystemName tells whether the node OS has a user or group of that name. Debian
// begins newer ones with an underscore.
func SystemName(name string) bool {
	return slices.Contains(systemNames, name) || strings.HasPrefix(name, "systemd-") || strings.HasPrefix(name, "_")
}
