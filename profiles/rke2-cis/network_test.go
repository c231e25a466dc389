package rke2cis

import (
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"

	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/spec"
)

const podNetworkFile = "/var/lib/rancher/rke2/server/manifests/caisson-pod-network.yaml"

// closedSite is a site of which no node has a gateway.
func closedSite(cni ...string) spec.Enclave {
	e := site(newest, cni...)
	for i := range e.Nodes {
		e.Nodes[i].Network.Gateway = ""
	}
	return e
}

// TestPodNetworkGolden: what each pod network is told where no node has a gateway;
// it is told so by the first server alone, and elsewhere by none.
func TestPodNetworkGolden(t *testing.T) {
	var out txtar.Archive
	for _, cni := range []string{"canal", "flannel", "calico", "cilium"} {
		for _, name := range roles {
			have := treeOf(t, render(t, input(t, closedSite(spec.Multus, cni), name))).file(podNetworkFile)
			if name == first && cni != "cilium" {
				out.Files = append(out.Files, txtar.File{Name: cni, Data: []byte(have)})
				var o struct {
					Spec struct{ ValuesContent string }
				}
				if err := yaml.Unmarshal([]byte(have), &o); err != nil || o.Spec.ValuesContent == "" {
					t.Errorf("%s: %v", cni, err)
				}
				var values map[string]any
				if err := yaml.UnmarshalStrict([]byte(o.Spec.ValuesContent), &values); err != nil {
					t.Errorf("%s: %v", cni, err)
				}
			} else if have != "" {
				t.Errorf("%s %s: %s", cni, name, have)
			}
			if have := treeOf(t, render(t, input(t, site(newest, cni), name))).file(podNetworkFile); have != "" {
				t.Errorf("%s %s with a gateway: %s", cni, name, have)
			}
		}
	}
	golden.Equal(t, "network.txtar", txtar.Format(&out))
}

// TestPodNetworkRefuses: a node is set up only if what the first server says, which
// goes by the roster, is right for it.
func TestPodNetworkRefuses(t *testing.T) {
	for _, c := range []struct {
		what, cni, address, gateway string
		closed                      bool
		says                        string
	}{
		{what: "of the roster", cni: "canal", address: "10.20.0.13/24", closed: true},
		{what: "another address", cni: "canal", address: "10.20.0.99/24", closed: true, says: "one of the roster's (10.20.0.11, 10.20.0.12, 10.20.0.13)"},
		{what: "another address, and a gateway", cni: "flannel", address: "10.20.0.99/24", gateway: "10.20.0.1", closed: true, says: "one of the roster's"},
		{what: "another address, which calico asks the cluster for", cni: "calico", address: "10.20.0.99/24", closed: true},
		{what: "another address with gateways", cni: "canal", address: "10.20.0.99/24", gateway: "10.20.0.1"},
		{what: "alone without a gateway", cni: "canal", address: "10.20.0.13/24", says: "network.gateway"},
		{what: "alone without a gateway, calico", cni: "calico", address: "10.20.0.13/24", says: "network.gateway"},
		{what: "alone without a gateway, cilium", cni: "cilium", address: "10.20.0.13/24"},
	} {
		e := site(newest, c.cni)
		if c.closed {
			e = closedSite(c.cni)
		}
		in := input(t, e, worker)
		in.Answers.Network.Address, in.Answers.Network.Gateway = c.address, c.gateway
		_, err := New().Render(in)
		if (err != nil) != (c.says != "") || err != nil && (!host.RenderIncomplete.Is(err) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: have %v, need RENDER-INCOMPLETE with %q", c.what, err, c.says)
		}
	}
	// The first server's own answers count, and an entry without an address says
	// nothing of gateways.
	in := input(t, site(newest), first)
	in.Answers.Network.Gateway = ""
	if treeOf(t, render(t, in)).file(podNetworkFile) == "" {
		t.Error("the first server without a gateway tells the pod network nothing")
	}
	e := site(newest)
	e.Nodes[2].Network = spec.NodeNetwork{}
	if have := treeOf(t, render(t, input(t, e, first))).file(podNetworkFile); have != "" {
		t.Errorf("an entry without an address: %s", have)
	}
}

// TestChartTaken: a chart has one object of settings.
func TestChartTaken(t *testing.T) {
	object := profiles.Object{File: "mtu.yaml", APIVersion: "helm.cattle.io/v1", Kind: "HelmChartConfig", Namespace: "kube-system", Name: "rke2-canal"}
	for _, c := range []struct {
		what    string
		e       spec.Enclave
		refused bool
	}{
		{"no gateway", closedSite("canal"), true}, {"gateways", site(newest, "canal"), false}, {"another chart", closedSite("calico"), false}, {"cilium", closedSite("cilium"), false},
	} {
		err := New().CheckManifests(c.e, []profiles.Object{object})
		if ChartTaken.Is(err) != c.refused || (err != nil) != c.refused {
			t.Errorf("%s: have %v, need RKE2-CHART-TAKEN: %v", c.what, err, c.refused)
		}
	}
}
