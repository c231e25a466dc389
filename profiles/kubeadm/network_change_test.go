package kubeadm

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"strings"
	"testing"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/spec"
)

// rendered is a node's tree as the installer left it.
func rendered(t *testing.T, role string, n spec.NodeNetwork) profiles.NetworkInput {
	t.Helper()
	in := input(role)
	in.Answers.Network = n
	root := t.TempDir()
	for _, f := range render(t, in).Storage.Files {
		write(t, root, f.Path, content(t, f))
	}
	return profiles.NetworkInput{Root: root, Enclave: in.Enclave, Answers: in.Answers, New: n}
}

// certificateFor is a certificate that names an address.
func certificateFor(t *testing.T, address string) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now, NotAfter: now.AddDate(1, 0, 0), IPAddresses: []net.IP{net.ParseIP(address)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// setUp is what kubeadm init leaves of an address.
func setUp(t *testing.T, root, address string) {
	t.Helper()
	write(t, root, kubeadmDone, nil)
	write(t, root, apiServerManifest, []byte("    - --advertise-address="+address+"\n"))
	write(t, root, "/etc/kubernetes/admin.conf", []byte("server: https://"+address+":6443\n"))
	write(t, root, "/etc/kubernetes/other.conf", []byte("server: https://1"+address+"0:6443\n"))
	write(t, root, "/etc/kubernetes/pki/apiserver.crt", certificateFor(t, address))
	write(t, root, "/etc/kubernetes/pki/apiserver-kubelet-client.crt", certificateFor(t, "127.0.0.1"))
	write(t, root, "/etc/kubernetes/pki/etcd/server.crt", certificateFor(t, address))
}

var (
	card       = spec.NodeNetwork{Interface: "eno1", Address: "10.20.0.11/24", Gateway: "10.20.0.1"}
	elsewhere  = spec.NodeNetwork{Interface: "eno1", Address: "10.20.0.12/24", Gateway: "10.20.0.1"}
	tagged     = spec.NodeNetwork{Interface: "eno1", Address: "10.20.0.11/16", VLAN: 42, MTU: 9000, DNS: []string{"10.20.0.53"}}
	asked      = spec.NodeNetwork{Interface: "eno1"}
	askedVLAN  = spec.NodeNetwork{Interface: "eno1", VLAN: 7}
	askedLarge = spec.NodeNetwork{Interface: "eno1", MTU: 9000}
)

// TestChangeNetwork: which files change, and what is restarted.
func TestChangeNetwork(t *testing.T) {
	const dir = "/etc/systemd/network/10-caisson"
	for _, c := range []struct {
		name, role string
		from, to   spec.NodeNetwork
		begin      func(t *testing.T, root string)
		files      string
		restart    string
		notes      int
	}{
		{"nothing", spec.Worker, card, card, nil, "", "", 0},
		{"a control plane that keeps its address", spec.ControlPlane, card, tagged, func(t *testing.T, root string) { setUp(t, root, "10.20.0.11") },
			"/etc/kubernetes/resolv.conf /etc/resolv.conf " + dir + "-trunk.network " + dir + "-vlan.netdev " + dir + ".network", "", 2},
		{"one that had it from DHCP", spec.ControlPlane, asked, card, func(t *testing.T, root string) { setUp(t, root, "10.20.0.11") },
			"/etc/hosts /etc/kubernetes/kubeadm.yaml " + dir + ".network", "", 0},
		{"one that keeps DHCP", spec.ControlPlane, asked, askedLarge, func(t *testing.T, root string) { setUp(t, root, "10.20.0.11") }, dir + ".network", "", 2},
		{"one that kubeadm has not begun with", spec.ControlPlane, card, elsewhere, nil, "/etc/hosts /etc/kubernetes/kubeadm.yaml " + dir + ".network", "", 0},
		{"a worker that has not joined", spec.Worker, card, elsewhere, nil, "/etc/hosts /etc/kubernetes/kubeadm.yaml " + dir + ".network", "", 0},
		{"a worker that has", spec.Worker, card, elsewhere, func(t *testing.T, root string) {
			write(t, root, joined, nil)
			write(t, root, kubeletFlags, []byte("KUBELET_KUBEADM_ARGS=\"--node-ip=10.20.0.11 --v=2\"\n"))
		}, "/etc/hosts /etc/kubernetes/kubeadm.yaml " + dir + ".network " + kubeletFlags, "kubelet.service", 2},
		{"a worker's other VLAN", spec.Worker, askedVLAN, asked, func(t *testing.T, root string) { write(t, root, joined, nil) },
			dir + "-trunk.network " + dir + "-vlan.netdev " + dir + ".network", "", 1},
	} {
		in := rendered(t, c.role, c.from)
		in.New = c.to
		if c.begin != nil {
			c.begin(t, in.Root)
		}
		out, err := New().ChangeNetwork(in)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var files []string
		for _, f := range out.Files {
			files = append(files, f.Path)
		}
		if have := strings.Join(files, " "); have != c.files || strings.Join(out.Restart, " ") != c.restart || len(out.Notes) != c.notes {
			t.Errorf("%s:\nfiles %s\nwant  %s\nrestarts %v, notes %q", c.name, have, c.files, out.Restart, out.Notes)
		}
	}
}

// TestAddressBound: what would leave a cluster that does not work is refused, and
// the refusal names who holds the address.
func TestAddressBound(t *testing.T) {
	other := card
	other.Address = "10.20.0.111/24"
	for name, c := range map[string]struct{ from, to spec.NodeNetwork }{
		"another address": {card, elsewhere}, "one that begins alike": {card, other}, "DHCP": {card, asked},
		"another VLAN under DHCP": {asked, askedVLAN}, "not the one that DHCP gave": {asked, elsewhere},
	} {
		in := rendered(t, spec.ControlPlane, c.from)
		in.New = c.to
		setUp(t, in.Root, "10.20.0.11")
		_, err := New().ChangeNetwork(in)
		if !host.AddressBound.Is(err) || !strings.Contains(err.Error(), "set up with 10.20.0.11, need") ||
			!strings.Contains(err.Error(), "it is in admin.conf, apiserver.crt, kube-apiserver.yaml, server.crt, in etcd's") {
			t.Errorf("%s: have %v, want ADDRESS-BOUND", name, err)
		}
	}
	in := rendered(t, spec.ControlPlane, card)
	in.New = elsewhere
	write(t, in.Root, kubeadmBegun, nil)
	if _, err := New().ChangeNetwork(in); !host.AddressBound.Is(err) {
		t.Errorf("kubeadm is at work: have %v, want ADDRESS-BOUND", err)
	}
}

func TestNetworkFilesChangedByHand(t *testing.T) {
	for name, c := range map[string]func(root string){
		"another file":    func(root string) { write(t, root, "/etc/systemd/network/10-caisson.network", []byte("[Match]\n")) },
		"one too many":    func(root string) { write(t, root, "/etc/systemd/network/10-caisson-vlan.netdev", nil) },
		"kubeadm at work": func(root string) { write(t, root, joining, nil) },
	} {
		in := rendered(t, spec.Worker, card)
		in.New = tagged
		c(in.Root)
		if _, err := New().ChangeNetwork(in); !host.NetworkFiles.Is(err) {
			t.Errorf("%s: have %v, want NETWORK-FILES", name, err)
		}
	}
	in := rendered(t, spec.Worker, card)
	in.New = elsewhere
	write(t, in.Root, joined, nil)
	write(t, in.Root, kubeletFlags, []byte("ARGS=\n"))
	if _, err := New().ChangeNetwork(in); !host.NetworkFiles.Is(err) {
		t.Errorf("flags of another form: have %v, want NETWORK-FILES", err)
	}
}

func TestNodeIP(t *testing.T) {
	for _, c := range []struct{ old, address, want string }{
		{`KUBELET_KUBEADM_ARGS="--node-ip=10.20.0.11"`, "10.20.0.12", `KUBELET_KUBEADM_ARGS="--node-ip=10.20.0.12"`},
		{`KUBELET_KUBEADM_ARGS="--a=b --node-ip=10.20.0.11 --c=d"`, "10.20.0.12", `KUBELET_KUBEADM_ARGS="--node-ip=10.20.0.12 --a=b --c=d"`},
		{`KUBELET_KUBEADM_ARGS="--a=b --node-ip=10.20.0.11"`, "", `KUBELET_KUBEADM_ARGS="--a=b"`},
		{`KUBELET_KUBEADM_ARGS=""`, "10.20.0.12", `KUBELET_KUBEADM_ARGS="--node-ip=10.20.0.12"`},
		{`KUBELET_KUBEADM_ARGS="--a=b"`, "10.20.0.12", `KUBELET_KUBEADM_ARGS="--node-ip=10.20.0.12 --a=b"`},
	} {
		root := t.TempDir()
		write(t, root, kubeletFlags, []byte(c.old+"\n"))
		out, err := nodeIP(root, c.address)
		if err != nil || len(out) != 1 || string(out[0].New) != c.want+"\n" || string(out[0].Old) != c.old+"\n" {
			t.Errorf("%s with %q: %v, %+v", c.old, c.address, err, out)
		}
	}
	if out, err := nodeIP(t.TempDir(), "10.20.0.12"); err != nil || len(out) > 0 {
		t.Errorf("no flags: %v, %v", out, err)
	}
}
