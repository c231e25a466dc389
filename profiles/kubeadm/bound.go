package kubeadm

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
)

const apiServerManifest = "/etc/kubernetes/manifests/kube-apiserver.yaml"

var advertised = regexp.MustCompile(`--advertise-address=([0-9.]+)`)

// bound refuses to move a control plane that was set up, or is being set up.
// What holds its address: etcd's member list, its client, peer and server
// certificates and the URLs in its static pod; the API server's certificate and
// --advertise-address; every kubeconfig beneath /etc/kubernetes; in the cluster
// itself the ConfigMaps kube-proxy and cluster-info; the kubelet.conf of every
// node that joined. kubeadm has phases for a part of it and none for the whole,
// and no way back from half of it.
func bound(in profiles.NetworkInput, moves bool) error {
	begun := there(in.Root, kubeadmBegun)
	if !begun && !there(in.Root, kubeadmDone) && !there(in.Root, apiServerManifest) {
		return nil // kubeadm has written nothing yet: it reads the new address
	}
	address := boundAddress(in.Root)
	if address == "" {
		address = host.IP(in.Answers.Network)
	}
	old, to := in.Answers.Network, in.New
	switch {
	case to.Address != "" && host.IP(to) == address:
		return nil
	case to.Address == "" && old.Address == "" && to.VLAN == old.VLAN && !moves:
		return nil // the same server is asked
	}
	f := host.Bound(address, to)
	if held := holders(in.Root, address); len(held) > 0 {
		f.Hint("it is in %s, in etcd's list of members and in the cluster's own configuration", strings.Join(held, ", "))
	}
	return f.Hint("VLAN, gateway, length of the network, MTU and resolvers can be changed: keep the address").
		Hint("for another address install this node anew; save what runs on it first")
}

// boundAddress is the address that kubeadm set the control plane up with.
func boundAddress(root string) string {
	raw, err := os.ReadFile(filepath.Join(root, apiServerManifest))
	if err != nil {
		return ""
	}
	if m := advertised.FindSubmatch(raw); m != nil {
		return string(m[1])
	}
	return ""
}

// holders are the files beneath /etc/kubernetes that hold an address.
func holders(root, address string) []string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return nil
	}
	word := regexp.MustCompile(`(^|[^0-9.])` + regexp.QuoteMeta(address) + `([^0-9.]|$)`)
	var out []string
	for _, pattern := range []string{"manifests/*.yaml", "*.conf", "pki/*.crt", "pki/etcd/*.crt"} {
		files, _ := filepath.Glob(filepath.Join(root, "etc/kubernetes", pattern)) // the patterns are good
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				continue
			}
			if word.Match(raw) || certifies(raw, addr) {
				out = append(out, filepath.Base(f))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// certifies tells whether a certificate in PEM names an address.
func certifies(raw []byte, addr netip.Addr) bool {
	block, _ := pem.Decode(raw)
	if block == nil || block.Type != "CERTIFICATE" {
		return false
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return false
	}
	for _, have := range cert.IPAddresses {
		if bytes.Equal(have.To16(), addr.AsSlice()) || bytes.Equal(have.To4(), addr.AsSlice()) {
			return true
		}
	}
	return false
}
