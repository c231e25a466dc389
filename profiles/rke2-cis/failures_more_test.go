package rke2cis

import (
	"slices"
	"strings"
	"testing"
)

// The longer ones of TestFailureModes.

func vxlanChecksum(t *testing.T) {
	all(t, func(t *testing.T, v, name string, n rendered) {
		_, rule, _ := strings.Cut(n.file("/etc/udev/rules.d/90-caisson-vxlan.rules"), `ACTION=="add"`)
		// canal; flannel, which has another number in RKE2; calico; cilium.
		for _, device := range []string{"flannel.1", "flannel-v6.1", "flannel.4096", "flannel-v6.4096", "vxlan.calico", "vxlan-v6.calico", "cilium_vxlan"} {
			_, devices, _ := strings.Cut(rule, `KERNEL=="`)
			devices, run, _ := strings.Cut(devices, `"`)
			if !slices.Contains(strings.Split(devices, "|"), device) || !strings.Contains(run, `RUN+="/usr/sbin/ethtool -K $name tx-checksum-ip-generic off"`) {
				t.Errorf("%s %s: %s keeps the offload: %s", v, name, device, rule)
			}
		}
	})
	if !slices.Contains(osPackages(t), "ethtool") {
		t.Error("ethtool is not in the node OS")
	}
}
