package node

import (
	"slices"
	"strings"

	"caisson.dev/caisson/spec"
)

// clashing are packages that take the pod network away: they manage its links,
// add routes or filter its packets (rke2-docs docs/known_issues.md).
var clashing = []string{"network-manager", "network-manager-config-connectivity-debian", "firewalld", "ufw", "wicked", "connman", "ifupdown", "netplan.io", "dhcpcd", "dhcpcd-base", "resolvconf"}

// CheckOS refuses packages that the author adds and that break the pod network.
func CheckOS(os spec.OS) error {
	var have []string
	for _, p := range os.Packages {
		if slices.Contains(clashing, p) {
			have = append(have, p)
		}
	}
	if len(have) == 0 {
		return nil
	}
	return PackageClash.New("cannot run RKE2 or K3s beside %s: have it in os.packages, need it left out", strings.Join(have, ", ")).
		Hint("the node's network is set up by systemd-networkd; its packets are filtered by Kubernetes alone")
}
