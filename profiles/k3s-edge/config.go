package k3sedge

import (
	"net"
	"slices"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/spec"
)

// The files that K3s is pointed at, where its hardening guide has them.
var (
	psaFile   = dataDir + "/server/psa.yaml"
	auditFile = dataDir + "/server/audit.yaml"
	auditLog  = dataDir + "/server/logs/audit.log"
)

// apiServerArgs: those of the guide (k3s-docs: security/hardening-guide) and the
// plugin against services that claim outside addresses. EventRateLimit has its
// configuration in psa.yaml, without which the API server does not start.
func apiServerArgs() []string {
	return []string{
		"enable-admission-plugins=NodeRestriction,EventRateLimit,DenyServiceExternalIPs",
		"admission-control-config-file=" + psaFile,
		"audit-log-path=" + auditLog,
		"audit-policy-file=" + auditFile,
		"audit-log-maxage=30",
		"audit-log-maxbackup=10",
		"audit-log-maxsize=100",
		"tls-cipher-suites=" + node.CipherSuites,
	}
}

// kubeletArgs keep the disk from filling, beside what the kubelet of every node is
// told: a container's logs are at most 15 MiB, and with a tenth left pods that
// write too much are evicted, well before K3s's own default of a twentieth.
func kubeletArgs() []string {
	return []string{
		"container-log-max-size=5Mi",
		"container-log-max-files=3",
		"eviction-hard=memory.available<100Mi,nodefs.available<10%,nodefs.inodesFree<5%,imagefs.available<10%",
		"eviction-minimum-reclaim=nodefs.available=500Mi,imagefs.available=500Mi",
	}
}

// configOf is config.yaml.
func configOf(n node.Node, in profiles.RenderInput) (*config.Builder, error) {
	link, err := flannelLink(in)
	if err != nil {
		return nil, err
	}
	b := n.Config().String("flannel-iface", link).List("kubelet-arg", kubeletArgs()...)
	if !n.Server() {
		return b, nil
	}
	b.Bool("secrets-encryption", true).
		List("kube-apiserver-arg", apiServerArgs()...).
		List("kube-controller-manager-arg", "terminated-pod-gc-threshold=100")
	if in.Enclave.Kubernetes.Datastore == spec.DatastoreEtcd {
		// Twice a day, each packed: K3s's own rhythm (k3s pkg/cli/cmds/server.go),
		// written out because somebody relies on it.
		b.Bool("cluster-init", true).
			String("etcd-snapshot-schedule-cron", "0 */12 * * *").
			Int("etcd-snapshot-retention", 5).
			Bool("etcd-snapshot-compress", true)
	}
	if !traefik(in.Enclave) {
		b.List("disable", "traefik")
	}
	return b, nil
}

func traefik(e spec.Enclave) bool {
	return slices.Contains(e.Kubernetes.Ingress, spec.DefaultIngress)
}

// flannelLink is the link that carries the pod network between nodes, where its
// name is known; else flannel takes the one with the default route (k3s
// pkg/agent/flannel/flannel.go, LookupExtInterface). On a node without a gateway
// that is the dummy link, where packets for other nodes would end.
func flannelLink(in profiles.RenderInput) (string, error) {
	n := in.Answers.Network
	_, noMAC := net.ParseMAC(n.Interface)
	switch {
	case n.VLAN != 0:
		return spec.VLANLink(n.VLAN), nil
	case len(n.Bond.Interfaces) > 0:
		return spec.BondLink, nil
	case n.Interface == spec.NoInterface:
		return spec.DummyLink, nil
	case n.Interface != "" && noMAC != nil:
		return n.Interface, nil
	case n.Gateway == "" && in.Enclave.Secrets.Sealed != "":
		return "", host.Unusable("network.interface", n.Interface, "the kernel's name of the card: without a gateway nothing else says which link leads to the other nodes")
	}
	return "", nil
}
