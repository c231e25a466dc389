package node

import (
	"testing"

	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/profiles/catalog"
	"caisson.dev/caisson/spec"
)

// TestPlace: what the screens are told of a new node is its profile's word.
func TestPlace(t *testing.T) {
	joinable := spec.Enclave{Secrets: spec.Secrets{Sealed: "cluster.age"},
		Nodes: []spec.Node{{Name: "cp1", Role: spec.ControlPlane, Network: spec.NodeNetwork{Address: "10.20.0.11/24"}}}}
	for _, c := range []struct {
		profile, role string
		e             spec.Enclave
		joins, code   string
	}{
		{spec.ProfileRKE2, spec.ControlPlane, joinable, "cp1", ""},
		{spec.ProfileRKE2, spec.Worker, joinable, "cp1", ""},
		{spec.ProfileRKE2, spec.ControlPlane, spec.Enclave{Nodes: joinable.Nodes}, "", "JOIN-SECRETS"},
		{spec.ProfileRKE2, spec.ControlPlane, spec.Enclave{}, "", ""},
		{spec.ProfileRKE2, spec.Worker, spec.Enclave{}, "", "JOIN-SERVER"},
		{spec.ProfileK3s, spec.ControlPlane, joinable, "", "K3S-ONE-SERVER"},
		{spec.ProfileK3s, spec.ControlPlane, spec.Enclave{}, "", ""},
		{spec.ProfileK3s, spec.Worker, joinable, "cp1", ""},
		{"kubeadm", spec.ControlPlane, joinable, "", ""},
		{"kubeadm", spec.Worker, joinable, "", ""},
	} {
		p, err := catalog.Get(c.profile)
		if err != nil {
			t.Fatal(err)
		}
		have := place(p, c.e, c.role)
		joins, code := "", ""
		if have.Joins != nil {
			joins = have.Joins.Name
		}
		for _, f := range fault.All(have.Err) {
			code = f.Code
		}
		if joins != c.joins || code != c.code {
			t.Errorf("%s, %s: joins %q with %q, want %q with %q", c.profile, c.role, joins, code, c.joins, c.code)
		}
	}
}
