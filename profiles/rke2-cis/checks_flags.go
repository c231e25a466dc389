package rke2cis

import (
	"slices"
	"strings"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
	"caisson.dev/caisson/profiles/rancher/node"
)

// Section 1.2: the API server's command line.
func apiServer() []profiles.Check {
	const api, plugins, off = "kube-apiserver", "enable-admission-plugins", "disable-admission-plugins"
	line := check.Of
	return []profiles.Check{
		line("1.2.1", "Anonymous requests are refused", pods.Is(api, "anonymous-auth", "false")),
		line("1.2.2", "No file of static tokens", pods.Absent(api, "token-auth-file")),
		line("1.2.3", "Services cannot claim outside addresses", pods.Has(api, plugins, "DenyServiceExternalIPs")),
		line("1.2.4", "The API server shows the kubelet a certificate", pods.IsSet(api, "kubelet-client-certificate", "kubelet-client-key")),
		line("1.2.5", "The API server checks the kubelet's certificate", pods.IsSet(api, "kubelet-certificate-authority")),
		line("1.2.6", "Not everyone is allowed everything", pods.Lacks(api, "authorization-mode", "AlwaysAllow")),
		line("1.2.7", "A node may touch its own objects only", pods.Has(api, "authorization-mode", "Node")),
		line("1.2.8", "Roles decide who may do what", pods.Has(api, "authorization-mode", "RBAC")),
		line("1.2.9", "A flood of events is cut off", pods.Has(api, plugins, "EventRateLimit")),
		line("1.2.10", "Not everything is admitted", pods.Lacks(api, plugins, "AlwaysAdmit")),
		line("1.2.12", "Pods run under a service account", pods.Lacks(api, off, "ServiceAccount")),
		line("1.2.13", "Nothing is made in a namespace that is going away", pods.Lacks(api, off, "NamespaceLifecycle")),
		line("1.2.14", "A node may change its own objects only", pods.Has(api, plugins, "NodeRestriction")),
		line("1.2.15", "No profiling of the API server", pods.Is(api, "profiling", "false")),
		line("1.2.16", "There is an audit log", pods.IsSet(api, "audit-log-path")),
		line("1.2.17", "The audit log is kept for 30 days or more", pods.AtLeast(api, "audit-log-maxage", 30)),
		line("1.2.18", "Ten or more full audit logs are kept", pods.AtLeast(api, "audit-log-maxbackup", 10)),
		line("1.2.19", "An audit log file may grow to 100 MB or more", pods.AtLeast(api, "audit-log-maxsize", 100)),
		line("1.2.21", "Tokens of deleted service accounts are worth nothing", pods.IsNot(api, "service-account-lookup", "false")),
		line("1.2.22", "Service account tokens are checked with a key of their own", pods.IsSet(api, "service-account-key-file")),
		line("1.2.23", "The API server shows etcd a certificate", pods.IsSet(api, "etcd-certfile", "etcd-keyfile")),
		line("1.2.24", "The API server serves TLS with its own certificate", pods.IsSet(api, "tls-cert-file", "tls-private-key-file")),
		line("1.2.25", "Clients are checked with the cluster's CA", pods.IsSet(api, "client-ca-file")),
		line("1.2.26", "The API server checks etcd's certificate", pods.IsSet(api, "etcd-cafile")),
		line("1.2.27", "Secrets are encrypted in etcd", pods.IsSet(api, "encryption-provider-config")),
		line("1.2.28", "Secrets are encrypted with a strong method first", pods.Encryption),
		line("1.2.29", "The API server speaks strong TLS only", pods.Flag(api, "tls-cipher-suites", node.CipherSuites+", or some of these", func(v string, _ bool) bool { return strong(v) })),
		line("1.2.30", "Service account tokens are not lengthened", pods.Is(api, "service-account-extend-token-expiration", "false")),
		line("C.6", "Pods must be restricted, but for the system's own", restricted),
	}
}

// strong: every suite named is one of ours, and one at least is named.
func strong(value string) bool {
	ours := strings.Split(node.CipherSuites, ",")
	return !slices.ContainsFunc(strings.Split(value, ","), func(s string) bool { return !slices.Contains(ours, s) })
}

// admission is what the API server was told of pods.
func admission(root string) (check.Admission, error) {
	var c check.Admission
	flags, err := pods.Flags(root, "kube-apiserver")
	if err != nil {
		return c, err
	}
	return c, check.ReadYAML(root, flags["admission-control-config-file"], &c)
}

// restricted reads the admission configuration that the API server is given.
func restricted(root string) profiles.Result {
	const want = "enforce: restricted"
	c, err := admission(root)
	if err != nil {
		return check.Unreadable(err, want)
	}
	for _, p := range c.Plugins {
		if p.Name == "PodSecurity" {
			have := "enforce: " + p.Configuration.Defaults.Enforce + ", but for " + strings.Join(p.Configuration.Exemptions.Namespaces, ", ")
			return check.Verdict(p.Configuration.Defaults.Enforce == "restricted", have, want)
		}
	}
	return check.Verdict(false, "no PodSecurity", want)
}

// Sections 1.3 and 1.4: controller manager and scheduler.
func controllers() []profiles.Check {
	const manager, scheduler = "kube-controller-manager", "kube-scheduler"
	line := check.Of
	return []profiles.Check{
		line("1.3.1", "Finished pods are cleared away", pods.IsSet(manager, "terminated-pod-gc-threshold")),
		line("1.3.2", "No profiling of the controller manager", pods.Is(manager, "profiling", "false")),
		line("1.3.3", "Each controller has its own account", pods.Is(manager, "use-service-account-credentials", "true")),
		line("1.3.4", "Service account tokens are signed with a key of their own", pods.IsSet(manager, "service-account-private-key-file")),
		line("1.3.5", "Pods can check the API server's certificate", pods.IsSet(manager, "root-ca-file")),
		line("1.3.6", "Kubelets' serving certificates can be renewed", pods.Lacks(manager, "feature-gates", "RotateKubeletServerCertificate=false")),
		line("1.3.7", "The controller manager listens on this node only", pods.Is(manager, "bind-address", "127.0.0.1")),
		line("1.4.1", "No profiling of the scheduler", pods.Is(scheduler, "profiling", "false")),
		line("1.4.2", "The scheduler listens on this node only", pods.Is(scheduler, "bind-address", "127.0.0.1")),
	}
}
