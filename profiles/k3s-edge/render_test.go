package k3sedge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	ignition "github.com/coreos/ignition/v2/config/v3_5"

	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

// TestRenderGolden: the whole trees of a server with etcd and of an agent, in the
// newest line; and what is not as there in every line, with either datastore, with
// and without an ingress, and for a box alone. K3s's pod network is its own.
func TestRenderGolden(t *testing.T) {
	server := treeOf(t, render(t, input(t, site(newest, spec.DatastoreEtcd), box)))
	worker := treeOf(t, render(t, input(t, site(newest, spec.DatastoreEtcd), agent)))
	golden.Equal(t, "server-etcd.txtar", server.archive())
	golden.Equal(t, "agent.txtar", worker.archive())
	var others golden.Beside
	for _, v := range every {
		for _, store := range []string{spec.DatastoreEtcd, spec.DatastoreSQLite} {
			for _, ingress := range []string{spec.DefaultIngress, spec.None} {
				e := site(v, store)
				e.Kubernetes.Ingress = []string{ingress}
				kind := " " + store + " " + ingress
				others.Add("server"+kind, v, server.all(), treeOf(t, render(t, input(t, e, box))).all())
				others.Add("agent"+kind, v, worker.all(), treeOf(t, render(t, input(t, e, agent))).all())
			}
		}
		e, a := alone()
		e.Kubernetes.Version = v
		others.Add("a box alone", v, server.all(), treeOf(t, render(t, inputOf(t, e, a))).all())
	}
	golden.Equal(t, "others.txtar", others.Archive("What is not as on the server with etcd or on the agent, in "+newest+" with traefik.\n"))
}

// Ignition's own parser and validator judge what is rendered; the table of keys
// has judged config.yaml.
func TestIgnitionAccepts(t *testing.T) {
	for minor := 31; minor <= 36; minor++ {
		for _, store := range []string{spec.DatastoreEtcd, spec.DatastoreSQLite} {
			for _, name := range []string{box, agent} {
				raw, err := json.Marshal(render(t, input(t, site(fmt.Sprintf("v1.%d.1+k3s1", minor), store), name)))
				if err != nil {
					t.Fatal(err)
				}
				_, report, err := ignition.Parse(raw)
				if err != nil || len(report.Entries) > 0 {
					t.Errorf("1.%d %s %s: %v\n%s", minor, store, name, err, report.String())
				}
			}
		}
	}
}

func TestRenderIsPureAndHasNoSecret(t *testing.T) {
	first := treeOf(t, render(t, input(t, site(newest, ""), box))).archive()
	for range 5 {
		if !bytes.Equal(first, treeOf(t, render(t, input(t, site(newest, ""), box))).archive()) {
			t.Fatal("the same input gave another config")
		}
	}
	for _, s := range []string{"PRIVATE KEY", "K10", "password:"} {
		if bytes.Contains(first, []byte(s)) {
			t.Errorf("%q is in the config", s)
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	for what, c := range map[string]struct {
		change func(*spec.Enclave, *spec.Answers)
		code   interface{ Is(error) bool }
		says   string
	}{
		"DHCP":                    {func(_ *spec.Enclave, a *spec.Answers) { a.Network = spec.NodeNetwork{} }, host.RenderIncomplete, "an address of its own"},
		"an agent without roster": {func(_ *spec.Enclave, a *spec.Answers) { a.Role = spec.Worker }, node.NoServer, "have no control-plane in the roster"},
		"an agent without token":  {func(e *spec.Enclave, a *spec.Answers) { e.Nodes, a.Role = site(newest, "").Nodes[:1], spec.Worker }, node.NoToken, "have no secrets.sealed"},
		"a second server": {func(e *spec.Enclave, _ *spec.Answers) {
			e.Nodes, e.Secrets = site(newest, "").Nodes[:1], spec.Secrets{Sealed: "x"}
		}, OneServer, "joins https://10.30.0.11:6443"},
		"a card by its MAC, no way on": {func(e *spec.Enclave, a *spec.Answers) {
			e.Secrets.Sealed, a.Network.Interface = "x", "52:54:00:12:34:56"
		}, host.RenderIncomplete, "which link leads to the other nodes"},
		"another line": {func(e *spec.Enclave, _ *spec.Answers) { e.Kubernetes.Version = "v1.30.0+k3s1" }, release.VersionUnknown, "1.31"},
	} {
		t.Run(what, func(t *testing.T) {
			e, a := alone()
			in := inputOf(t, e, a)
			in.Answers.Name = "other"
			c.change(&in.Enclave, &in.Answers)
			if _, err := New().Render(in); !c.code.Is(err) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("have %v, need %v with %q", err, c.code, c.says)
			}
		})
	}
}

// TestFlannelLink: the pod network's link is named where the default route does
// not tell it.
func TestFlannelLink(t *testing.T) {
	for want, n := range map[string]spec.NodeNetwork{
		"enp1s0": {Interface: "enp1s0", Address: "10.30.0.11/24"}, "bond0": {Bond: spec.Bond{Interfaces: []string{"a", "b"}}},
		"vlan7": {Interface: "enp1s0", VLAN: 7}, "caisson0": {Interface: "none"},
		"": {Interface: "52:54:00:12:34:56", Gateway: "10.30.0.1"},
	} {
		if have, err := flannelLink(profiles.RenderInput{Answers: spec.Answers{Network: n}}); have != want || err != nil {
			t.Errorf("%+v: have %q, %v, need %q", n, have, err, want)
		}
	}
}

// TestPayload: the program, the archive under its vendor's name, and no
// list of images. The floor of the edge is in installer/plan's TestEdgeFloor.
func TestPayload(t *testing.T) {
	files, err := New().Payload(site(newest, ""))
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, f := range files {
		have = append(have, fmt.Sprintf("%s %04o %s", f.Artifact, f.Mode, f.Path))
	}
	want := "k3s/k3s 0755 /usr/local/bin/k3s, " +
		"k3s/k3s-airgap-images-amd64.tar.zst 0600 /var/lib/rancher/k3s/agent/images/k3s-airgap-images-amd64.tar.zst, " +
		"k3s/sha256sum-amd64.txt 0644 /usr/local/share/k3s/sha256sum-amd64.txt"
	if got := strings.Join(have, ", "); got != want {
		t.Errorf("have %s\nneed %s", got, want)
	}
}

// TestSecretsByRole: no key of a CA and no server's token reaches an agent.
func TestSecretsByRole(t *testing.T) {
	files, err := New().MakeSecrets(site(newest, ""), begin)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		for name, want := range map[string]bool{box: f.Path != "/etc/rancher/k3s/join-token", agent: f.Path == "/etc/rancher/k3s/join-token"} {
			in := input(t, site(newest, ""), name)
			if takes, err := New().TakesSecret(in.Enclave, in.Answers, f.Path); takes != want || err != nil {
				t.Errorf("%s takes %s: %v, %v", name, f.Path, takes, err)
			}
		}
	}
	if len(files) != 14 || !New().TakesSecrets(spec.Worker) {
		t.Errorf("have %d files", len(files))
	}
}
