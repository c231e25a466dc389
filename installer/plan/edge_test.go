package plan_test

import (
	"errors"
	"strings"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/size"
	k3sedge "caisson.dev/caisson/profiles/k3s-edge"
	"caisson.dev/caisson/spec"
)

// TestEdgeFloor: a box of 10 GiB and 2 GiB takes K3s with the usual release and
// some images of its own, and the next smaller one does not. Of its 2 GiB the
// system sees less: firmware and kernel have taken theirs.
func TestEdgeFloor(t *testing.T) {
	in := input(t)
	m := in.Bundle.Manifest()
	m.OS.Size = int64(165 * size.MiB)
	m.Payload = []bundle.Payload{
		{Path: "/var/lib/rancher/k3s/agent/images/k3s-airgap-images-amd64.tar.zst", Size: int64(300 * size.MiB)},
		{Path: "/usr/local/bin/k3s", Size: int64(75 * size.MiB)},
		{Path: "/usr/local/bin/zot", Size: int64(100 * size.MiB)},
		{Path: "/usr/local/share/carried", Size: int64(500 * size.MiB)}, // as much as some images
	}
	in.Bundle, in.Profile = carrier{in.Bundle, m}, k3sedge.New()
	for _, c := range []struct {
		role           string
		disk, memory   size.Bytes
		onDisk, onRest string // the codes against the disk and against the rest
	}{
		{spec.ControlPlane, 10 * size.GiB, 2 * size.GiB, "", ""},
		{spec.ControlPlane, 10 * size.GiB, 1900 * size.MiB, "", ""},
		{spec.ControlPlane, 9 * size.GiB, 2 * size.GiB, "DISK-TOO-SMALL", ""},
		{spec.ControlPlane, 10 * size.GiB, 1536 * size.MiB, "", "MEMORY-TOO-SMALL"},
		{spec.Worker, 8 * size.GiB, 1 * size.GiB, "", ""},
		{spec.Worker, 7 * size.GiB, 1 * size.GiB, "DISK-TOO-SMALL", ""},
		{spec.Worker, 8 * size.GiB, 768 * size.MiB, "", "MEMORY-TOO-SMALL"},
	} {
		in.Answers.Role, in.Machine.Memory, in.Machine.Disks[0].Size = c.role, c.memory, c.disk
		j, err := plan.Judge(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []struct {
			want string
			have error
		}{{c.onDisk, j.Disks["vda"]}, {c.onRest, errors.Join(j.Machine...)}} {
			if (v.want == "") != (v.have == nil) || v.have != nil && !strings.HasPrefix(v.have.Error(), v.want+": ") {
				t.Errorf("%s with %s and %s: have %v, need %q", c.role, c.disk, c.memory, v.have, v.want)
			}
		}
	}
}
