package kubeadm

import (
	"slices"
	"strings"

	"caisson.dev/caisson/profiles/check"
)

// The tests about the static pods' command lines.
const staticPods = check.Pods(manifests)

var (
	flag    = staticPods.Flag
	flagsOf = staticPods.Flags
	is      = staticPods.Is
	isSet   = staticPods.IsSet
	isNot   = staticPods.IsNot
	has     = staticPods.Has
	lacks   = staticPods.Lacks
	absent  = staticPods.Absent
	atLeast = staticPods.AtLeast
)

// strong: every suite named is one of ours, and one at least is named.
func strong(value string, _ bool) bool {
	for _, s := range strings.Split(value, ",") {
		if !slices.Contains(strings.Split(cipherSuites, ","), s) {
			return false
		}
	}
	return true
}

func apiServerLines() []line {
	const api, plugins, off = "kube-apiserver", "enable-admission-plugins", "disable-admission-plugins"
	return []line{
		{"1.2.1", "Anonymous requests are refused, or reach health paths only", anonymous},
		{"1.2.2", "No file of static tokens", absent(api, "token-auth-file")},
		{"1.2.3", "Services cannot claim outside addresses", has(api, plugins, "DenyServiceExternalIPs")},
		{"1.2.4", "The API server shows the kubelet a certificate", isSet(api, "kubelet-client-certificate", "kubelet-client-key")},
		{"1.2.5", "The API server checks the kubelet's certificate", isSet(api, "kubelet-certificate-authority")},
		{"1.2.6", "Not everyone is allowed everything", lacks(api, "authorization-mode", "AlwaysAllow")},
		{"1.2.7", "A node may touch its own objects only", has(api, "authorization-mode", "Node")},
		{"1.2.8", "Roles decide who may do what", has(api, "authorization-mode", "RBAC")},
		{"1.2.9", "A flood of events is cut off", has(api, plugins, "EventRateLimit")},
		{"1.2.10", "Not everything is admitted", lacks(api, plugins, "AlwaysAdmit")},
		{"1.2.12", "Pods run under a service account", lacks(api, off, "ServiceAccount")},
		{"1.2.13", "Nothing is made in a namespace that is going away", lacks(api, off, "NamespaceLifecycle")},
		{"1.2.14", "A node may change its own objects only", has(api, plugins, "NodeRestriction")},
		{"1.2.15", "No profiling of the API server", is(api, "profiling", "false")},
		{"1.2.16", "There is an audit log", isSet(api, "audit-log-path")},
		{"1.2.17", "The audit log is kept for 30 days or more", atLeast(api, "audit-log-maxage", 30)},
		{"1.2.18", "Ten or more full audit logs are kept", atLeast(api, "audit-log-maxbackup", 10)},
		{"1.2.19", "An audit log file may grow to 100 MB or more", atLeast(api, "audit-log-maxsize", 100)},
		{"1.2.21", "Tokens of deleted service accounts are worth nothing", isNot(api, "service-account-lookup", "false")},
		{"1.2.22", "Service account tokens are checked with a key of their own", isSet(api, "service-account-key-file")},
		{"1.2.23", "The API server shows etcd a certificate", isSet(api, "etcd-certfile", "etcd-keyfile")},
		{"1.2.24", "The API server serves TLS with its own certificate", isSet(api, "tls-cert-file", "tls-private-key-file")},
		{"1.2.25", "Clients are checked with the cluster's CA", isSet(api, "client-ca-file")},
		{"1.2.26", "The API server checks etcd's certificate", isSet(api, "etcd-cafile")},
		{"1.2.27", "Secrets are encrypted in etcd", isSet(api, "encryption-provider-config")},
		{"1.2.28", "Secrets are encrypted with a strong method first", staticPods.Encryption},
		{"1.2.29", "The API server speaks strong TLS only", flag(api, "tls-cipher-suites", cipherSuites+", or some of these", strong)},
		{"1.2.30", "Service account tokens are not lengthened", is(api, "service-account-extend-token-expiration", "false")},
		{"3.2.1", "There is an audit policy", isSet(api, "audit-policy-file")},
	}
}

func controllerLines() []line {
	const manager, scheduler = "kube-controller-manager", "kube-scheduler"
	return []line{
		{"1.3.1", "Finished pods are cleared away", isSet(manager, "terminated-pod-gc-threshold")},
		{"1.3.2", "No profiling of the controller manager", is(manager, "profiling", "false")},
		{"1.3.3", "Each controller has its own account", is(manager, "use-service-account-credentials", "true")},
		{"1.3.4", "Service account tokens are signed with a key of their own", isSet(manager, "service-account-private-key-file")},
		{"1.3.5", "Pods can check the API server's certificate", isSet(manager, "root-ca-file")},
		{"1.3.6", "Kubelets' serving certificates can be renewed", lacks(manager, "feature-gates", "RotateKubeletServerCertificate=false")},
		{"1.3.7", "The controller manager listens on this node only", is(manager, "bind-address", "127.0.0.1")},
		{"1.4.1", "No profiling of the scheduler", is(scheduler, "profiling", "false")},
		{"1.4.2", "The scheduler listens on this node only", is(scheduler, "bind-address", "127.0.0.1")},
	}
}

func etcdLines() []line {
	const etcd = "etcd"
	return []line{
		{"2.1", "etcd serves TLS with its own certificate", isSet(etcd, "cert-file", "key-file")},
		{"2.2", "etcd serves clients with a certificate only", is(etcd, "client-cert-auth", "true")},
		{"2.3", "etcd takes no certificate it made itself", isNot(etcd, "auto-tls", "true")},
		{"2.4", "etcd's members speak TLS with each other", isSet(etcd, "peer-cert-file", "peer-key-file")},
		{"2.5", "etcd's members check each other", is(etcd, "peer-client-cert-auth", "true")},
		{"2.6", "etcd's members take no certificate they made themselves", isNot(etcd, "peer-auto-tls", "true")},
		{"2.7", "etcd has a CA of its own", ownCA},
	}
}
