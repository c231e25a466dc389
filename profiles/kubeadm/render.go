package kubeadm

import (
	"cmp"
	"slices"
	"strings"

	"github.com/coreos/ignition/v2/config/util"
	ignition "github.com/coreos/ignition/v2/config/v3_5/types"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/spec"
)

// cipherSuites are the TLS 1.2 suites with forward secrecy and authenticated
// encryption: what the CIS benchmark's lists for the API server (1.2.29) and
// the kubelet (4.2.12) have in common. TLS 1.3 suites cannot be chosen in Go.
var cipherSuites = strings.Join([]string{
	"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
	"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
}, ",")

// noResolver is a name server that is nobody's (RFC 5737, TEST-NET-1). The node
// has an unreachable route to it: see tree/all/etc/kubernetes/resolv.conf.tmpl.
const noResolver = "192.0.2.53"

// values is all that the templates insert.
type values struct {
	Name, Address         string // the node's; Address is "" under DHCP
	Cluster, Kubernetes   string
	PodCIDR, ServiceCIDR  string
	NodePodCIDR           string // the first node's part of PodCIDR
	CoreDNSTag, EtcdTag   string
	PauseImage, CertsDir  string
	CipherSuites          string
	AuthenticationAPI     string // version of AuthenticationConfiguration
	AnonymousGate         bool   // whether its anonymous field is behind a feature gate
	DNS, NTP              []string
	NoResolver            string
	Given                 bool     // the installer brings the cluster's CAs and keys
	Leaves                []string // then: what kubeadm makes beside them
	needsUnreachableRoute bool
}

// Render is the node's configuration. It is refused with RENDER-INCOMPLETE if
// the Answers lack a value or hold one that cannot be used.
func (Profile) Render(in profiles.RenderInput) (ignition.Config, error) {
	v, err := versionsOf(in.Enclave)
	if err != nil {
		return ignition.Config{}, err
	}
	val, err := valuesOf(in, v)
	if err != nil {
		return ignition.Config{}, err
	}
	files, err := treeFiles(in.Answers.Role, val)
	if err != nil {
		return ignition.Config{}, err
	}
	network, err := networkFiles(in.Answers.Network, val)
	if err != nil {
		return ignition.Config{}, err
	}
	hosts, err := carriedHosts(in, v)
	if err != nil {
		return ignition.Config{}, err
	}
	files = slices.Concat(files, network, images.ContainerdHosts([]images.Mirror{in.Registry.Mirror()}, hosts), in.Registry.Files)
	users, sudoers := usersOf(in)
	files = append(files, sudoers...)
	slices.SortStableFunc(files, func(a, b images.ServiceFile) int { return cmp.Compare(a.Path, b.Path) })

	var c ignition.Config
	c.Ignition.Version = ignition.MaxVersion.String()
	c.Passwd.Users = users
	for _, d := range directories(in.Answers.Role) {
		c.Storage.Directories = append(c.Storage.Directories, directory(d.Path, d.Mode))
	}
	for _, f := range files {
		c.Storage.Files = append(c.Storage.Files, file(f))
	}
	for _, u := range units(in) {
		c.Systemd.Units = append(c.Systemd.Units, ignition.Unit{Name: u, Enabled: util.BoolToPtr(true)})
	}
	return c, nil
}

// carriedHosts lists the registries whose images the bundle holds.
func carriedHosts(in profiles.RenderInput, v versions) ([]string, error) {
	refs := []string{v.pauseImage()}
	for _, i := range in.Manifest.Images {
		refs = append(refs, i.Ref)
	}
	return images.Hosts(refs)
}

// units are enabled on the node. Their files are in the tree, and not in the
// config's own unit list, because the CIS benchmark wants the kubelet's to be
// readable by root alone (4.1.1) and Ignition writes units with mode 0644.
func units(in profiles.RenderInput) []string {
	out := []string{
		"systemd-networkd.service", "systemd-networkd-wait-online.service",
		"containerd.service", "kubelet.service", "caisson-ready.service",
	}
	if in.Registry.Unit != "" {
		out = append(out, in.Registry.Unit)
	}
	if len(in.Answers.TimeServers(in.Enclave)) > 0 {
		out = append(out, "systemd-timesyncd.service")
	}
	if in.Answers.Role == spec.Worker {
		out = append(out, "caisson-kubeadm-join.service")
	} else {
		out = append(out, "caisson-kubeadm-clean.service", "caisson-kubeadm-init.service")
	}
	slices.Sort(out)
	return out
}

// directories are made even where no file lies in them, with their modes.
// Those on the state partition come from tmpfiles.d.
func directories(role string) []images.ServiceFile {
	out := []images.ServiceFile{
		{Path: "/etc/cni/net.d", Mode: 0o755},
		{Path: "/etc/kubernetes", Mode: 0o755},
		{Path: "/etc/kubernetes/patches", Mode: 0o700},
	}
	if role != spec.Worker {
		out = append(out,
			images.ServiceFile{Path: "/etc/kubernetes/apiserver", Mode: 0o700},
			images.ServiceFile{Path: "/etc/kubernetes/manifests", Mode: 0o700})
	}
	return out
}
