package rke2cis

import (
	"embed"
	"slices"

	"github.com/coreos/ignition/v2/config/util"
	ignition "github.com/coreos/ignition/v2/config/v3_5/types"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/profiles/rancher/release"
)

// The user that etcd runs as, whom the profile "cis" demands on servers, in the
// local files (rke2 pkg/cli/cmds/profile_linux.go). The id is fixed, for files of
// etcd carry it, and far from those that the node OS gives out from 999 downwards.
const (
	etcdUser = "etcd"
	etcdID   = 900
)

// tree holds the files of a server, and of the first where nodes have no gateway
// (network/), each below its real path.
//
//go:embed all:tree
var tree embed.FS

const (
	auditPolicy = "audit-policy.yaml"
	podSecurity = "pod-security.yaml"
)

// values is what the templates of the tree insert.
type values struct {
	Exempt []string // namespaces whose pods may do what they want
}

// Render is the node's configuration.
func (Profile) Render(in profiles.RenderInput) (ignition.Config, error) {
	var none ignition.Config
	n, err := nodeOf(in)
	if err != nil {
		return none, err
	}
	files, err := n.Files()
	if err != nil {
		return none, err
	}
	main, err := n.ConfigFile(configOf(n, in))
	if err != nil {
		return none, err
	}
	files = append(files, main)
	network, err := networkFiles(n, in)
	if err != nil {
		return none, err
	}
	files = append(files, network...)
	folders := n.Folders()
	if len(network) > 0 {
		for _, d := range []string{n.Data() + "/server", node.Manifests(release.RKE2)} {
			folders = append(folders, images.ServiceFile{Path: d, Mode: 0o700})
		}
	}
	if n.Server() {
		own, err := host.Tree(tree, "tree/server", values{Exempt: exempt(in)}, func(string) uint32 { return 0o600 })
		if err != nil {
			return none, err
		}
		files = append(append(files, own...), images.ServiceFile{Path: n.Etc() + "/" + auditPolicy, Mode: 0o600, Data: host.AuditPolicy})
	}
	users, rules := host.Users(in)
	c := host.Config(users, folders, append(files, rules...), n.Units())
	if n.Server() {
		c.Passwd.Groups = []ignition.PasswdGroup{{Name: etcdUser, Gid: util.IntToPtr(etcdID), System: util.BoolToPtr(true)}}
		c.Passwd.Users = slices.Insert(c.Passwd.Users, 0, ignition.PasswdUser{
			Name: etcdUser, UID: util.IntToPtr(etcdID), PrimaryGroup: util.StrToPtr(etcdUser), System: util.BoolToPtr(true),
			NoCreateHome: util.BoolToPtr(true), HomeDir: util.StrToPtr("/"), Shell: util.StrToPtr("/usr/sbin/nologin")})
	}
	return c, nil
}

// exempt are the namespaces beside which every pod must be "restricted": the
// system's own, and that of Calico's operator (rke2 pkg/rke2/psa.go has the same,
// and one for a scanner that is not carried).
func exempt(in profiles.RenderInput) []string {
	out := []string{"kube-system"}
	if slices.Contains(in.Enclave.Kubernetes.CNI, "calico") {
		out = append(out, "tigera-operator")
	}
	return out
}

// configOf is config.yaml. What the profile "cis" sets by itself is not said
// again: secrets encryption, network policies, file modes, service accounts.
func configOf(n node.Node, in profiles.RenderInput) *config.Builder {
	b := n.Config().String("profile", "cis")
	if !n.Server() {
		return b
	}
	k := in.Enclave.Kubernetes
	return b.List("cni", k.CNI...).
		// Always said: RKE2's own default is another from 1.36 on.
		List("ingress-controller", k.Ingress...).
		// RKE2's own policy logs nothing (rke2 pkg/rke2/rke2_linux.go).
		String("audit-policy-file", n.Etc()+"/"+auditPolicy).
		String("pod-security-admission-config-file", n.Etc()+"/"+podSecurity).
		// NodeRestriction is RKE2's own and would be lost here.
		List("kube-apiserver-arg", "enable-admission-plugins=NodeRestriction,EventRateLimit,DenyServiceExternalIPs",
			"tls-cipher-suites="+node.CipherSuites, "tls-min-version=VersionTLS12").
		List("kube-controller-manager-arg", "terminated-pod-gc-threshold=100").
		Bool("etcd-disable-snapshots", false).
		Int("etcd-snapshot-retention", snapshots)
}

// snapshots is how many scheduled snapshots are kept; one is made twice a day.
const snapshots = 10
