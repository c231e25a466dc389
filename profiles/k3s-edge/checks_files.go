package k3sedge

import (
	"fmt"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
)

// Folders of K3s that the benchmark's files lie in (k3s
// pkg/daemons/control/deps, CreateRuntimeCertFiles).
var (
	credDir  = dataDir + "/server/cred"
	tlsDir   = dataDir + "/server/tls"
	agentDir = dataDir + "/agent"
)

// leases are the addresses that pods on this node have, and what K3s's own
// assessment looks at; beside them lies a lock. K3s writes the network's
// configuration, which has no secret, for all to read (k3s pkg/agent/util).
const leases = "/var/lib/cni/networks/*/[0-9]*?"

// podFiles are what the benchmark asks of static pods' files, of which K3s has none.
func podFiles() []profiles.Check {
	var out []profiles.Check
	for i, part := range []string{"API server", "controller manager", "scheduler", "etcd"} {
		for j, what := range []string{"is readable by root alone", "belongs to root"} {
			out = append(out, check.Of(fmt.Sprintf("1.1.%d", 2*i+j+1), "The pod file for "+part+" "+what, func(string) profiles.Result {
				return profiles.Result{Status: check.NotApplicable, Have: "no pod: K3s runs it within itself", Want: "mode 0600, owner root:root"}
			}))
		}
	}
	return out
}

func serverFiles(benchmark string) []profiles.Check {
	return append(podFiles(),
		check.Of("1.1.9", "The pod network's files are readable by root alone", check.Mode(0o600, leases)),
		check.Of("1.1.10", "The pod network's files belong to root", check.Owner(agentDir+"/etc/cni/net.d/*", leases)),
		check.Of("1.1.11", "etcd's data folder is closed to others", check.Mode(0o700, dataDir+"/server/db/etcd?")),
		check.Of("1.1.12", "etcd's data folder belongs to etcd's own user", etcdOwner),
		check.Of("1.1.13", "The administrator's credentials are readable by root alone", check.Mode(0o600, credDir+"/admin.kubeconfig", configDir+"/k3s.yaml")),
		check.Of("1.1.14", "The administrator's credentials belong to root", check.Owner(credDir+"/admin.kubeconfig", configDir+"/k3s.yaml")),
		check.Of("1.1.15", "The scheduler's credentials are readable by root alone", check.Mode(0o600, credDir+"/scheduler.kubeconfig")),
		check.Of("1.1.16", "The scheduler's credentials belong to root", check.Owner(credDir+"/scheduler.kubeconfig")),
		check.Of("1.1.17", "The controller manager's credentials are readable by root alone", check.Mode(0o600, credDir+"/controller.kubeconfig")),
		check.Of("1.1.18", "The controller manager's credentials belong to root", check.Owner(credDir+"/controller.kubeconfig")),
		check.Of("1.1.19", "The cluster's certificates and keys belong to root", check.Owner(tlsDir+"/**")),
		check.Of("1.1.20", "Certificates are closed to others, or cannot be written by them", check.Certificates(benchmark, tlsDir+"/*.crt", tlsDir+"/etcd/*.crt?")),
		check.Of("1.1.21", "Private keys are readable by root alone", check.Mode(0o600, tlsDir+"/*.key", tlsDir+"/etcd/*.key?")),
		check.Of("C.3", "The tokens are readable by root alone", check.Mode(0o600, dataDir+"/server/token", configDir+"/token?", configDir+"/agent-token?")),
		check.Of("C.4", "Audit logs are readable by root alone", check.Mode(0o700, dataDir+"/server/logs")),
	)
}

// etcdOwner: K3s runs etcd inside its own program, as root, so the folder is
// root's. That is not what the benchmark asks for, and a person has to accept it.
func etcdOwner(root string) profiles.Result {
	const want = "owner etcd:etcd"
	r := check.Owner(dataDir + "/server/db/etcd?")(root)
	if r.Status != check.Pass {
		return profiles.Result{Status: r.Status, Have: r.Have, Want: want}
	}
	return profiles.Result{Status: check.Manual, Have: "owner root:root: K3s runs etcd within itself, as root", Want: want}
}

// nodeFiles: the kubelet has no unit of its own, K3s's is meant.
func nodeFiles(benchmark string) []profiles.Check {
	const unit = "/etc/systemd/system/k3s*.service"
	return []profiles.Check{
		check.Of("4.1.1", "K3s's service files are readable by root alone", check.Mode(0o600, unit, "/etc/systemd/system/k3s*.env")),
		check.Of("4.1.2", "K3s's service files belong to root", check.Owner(unit, "/etc/systemd/system/k3s*.env")),
		check.Of("4.1.3", "kube-proxy's credentials are readable by root alone", check.Mode(0o600, agentDir+"/kubeproxy.kubeconfig")),
		check.Of("4.1.4", "kube-proxy's credentials belong to root", check.Owner(agentDir+"/kubeproxy.kubeconfig")),
		check.Of("4.1.5", "The kubelet's credentials are readable by root alone", check.Mode(0o600, agentDir+"/kubelet.kubeconfig")),
		check.Of("4.1.6", "The kubelet's credentials belong to root", check.Owner(agentDir+"/kubelet.kubeconfig")),
		check.Of("4.1.7", "The CA that clients are checked with is closed to others, or cannot be written by them", check.Certificates(benchmark, agentDir+"/client-ca.crt")),
		check.Of("4.1.8", "The CA that clients are checked with belongs to root", check.Owner(agentDir+"/client-ca.crt")),
		check.Of("4.1.9", "K3s's configuration is readable by root alone", check.Mode(0o600, configDir+"/config.yaml", configDir+"/registries.yaml", configDir+"/config.yaml.d/*?")),
		check.Of("4.1.10", "K3s's configuration belongs to root", check.Owner(configDir+"/config.yaml", configDir+"/registries.yaml", configDir+"/config.yaml.d/*?")),
	}
}
