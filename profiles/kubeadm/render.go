package kubeadm

import (
	"slices"
	"strings"

	ignition "github.com/coreos/ignition/v2/config/v3_5/types"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/profiles/rancher/registries"
	"caisson.dev/caisson/spec"
)

// cipherSuites are the TLS 1.2 suites with forward secrecy and authenticated
// encryption: what the CIS benchmark's lists for the API server (1.2.29) and
// the kubelet (4.2.12) have in common. TLS 1.3 suites cannot be chosen in Go.
var cipherSuites = strings.Join([]string{
	"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
	"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
}, ",")

// values is all that the templates insert.
type values struct {
	host.Node
	Kubernetes           string
	NodePodCIDR          string // the first node's part of PodCIDR
	CoreDNSTag, EtcdTag  string
	PauseImage, CertsDir string
	CipherSuites         string
	AuthenticationAPI    string   // version of AuthenticationConfiguration
	AnonymousGate        bool     // whether its anonymous field is behind a feature gate
	Given                bool     // the installer brings the cluster's CAs and keys
	Leaves               []string // then: what kubeadm makes beside them
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
	files, err := treeOf(in.Answers, val)
	if err != nil {
		return ignition.Config{}, err
	}
	hosts, err := registryHosts(in, v)
	if err != nil {
		return ignition.Config{}, err
	}
	files = slices.Concat(files, hosts, in.Registry.Files)
	users, rules := host.Users(in)
	return host.Config(users, directories(in.Answers.Role), append(files, rules...), append(units(in), val.Units(in.Registry)...)), nil
}

// registryHosts are containerd's hosts.toml, made from the value that RKE2's and
// K3s's registries.yaml is made from.
func registryHosts(in profiles.RenderInput, v versions) ([]images.ServiceFile, error) {
	refs := []string{v.pauseImage()}
	for _, i := range in.Manifest.Images {
		refs = append(refs, i.Ref)
	}
	c, err := registries.Of(in.Registry.Mirror(), refs)
	if err != nil {
		return nil, err
	}
	return c.Containerd()
}

// units are enabled on the node, besides those of every profile's.
func units(in profiles.RenderInput) []string {
	out := []string{"containerd.service", "kubelet.service", "caisson-ready.service"}
	if in.Answers.Role == spec.Worker {
		return append(out, "caisson-kubeadm-join.service")
	}
	return append(out, "caisson-kubeadm-clean.service", "caisson-kubeadm-init.service")
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
