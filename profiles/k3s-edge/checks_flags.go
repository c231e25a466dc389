package k3sedge

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/node"
)

// readConfig is what K3s makes of config.yaml and its drop-ins. Without the main
// file nothing is known of the node: what is not set there would pass.
func readConfig(root string) (config.Content, error) {
	dir := filepath.Join(root, configDir)
	if _, err := os.Stat(filepath.Join(dir, "config.yaml")); err != nil {
		return config.Content{}, err
	}
	return config.Read(os.DirFS(dir))
}

// flagsOf is what K3s will add to the flags of a component: the items of its key
// in config.yaml and the drop-ins, the last of a name counting.
func flagsOf(root, key string) (map[string]string, error) {
	c, err := readConfig(root)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, arg := range c.Args {
		item, ok := strings.CutPrefix(arg, "--"+key+"=")
		if !ok {
			continue
		}
		name, value, _ := strings.Cut(strings.TrimPrefix(item, "--"), "=")
		out[strings.TrimRight(name, "+-")] = value
	}
	return out, nil
}

// The keys of config.yaml that hold a component's flags.
const (
	apiServer  = "kube-apiserver-arg"
	controller = "kube-controller-manager-arg"
	scheduler  = "kube-scheduler-arg"
	etcd       = "etcd-arg"
	kubelet    = "kubelet-arg"
)

// flag is a test of one flag of a component; set tells whether it is there.
func flag(key, name, want string, ok func(value string, set bool) bool) check.Test {
	return func(root string) profiles.Result {
		flags, err := flagsOf(root, key)
		if err != nil {
			return check.Unreadable(err, want)
		}
		value, set := flags[name]
		have := "--" + name + "=" + value
		if !set {
			have = "--" + name + " is not set: K3s's own default"
		}
		return check.Verdict(ok(value, set), have, want)
	}
}

// is: the flag is set to exactly this.
func is(key, name, value string) check.Test {
	return flag(key, name, "--"+name+"="+value, func(have string, _ bool) bool { return have == value })
}

// given: the flag has a value.
func given(key, name string) check.Test {
	return flag(key, name, "--"+name+" with a value", func(have string, _ bool) bool { return have != "" })
}

// own: K3s itself sets the flag to what the benchmark asks for (k3s
// pkg/daemons/control/server.go, pkg/daemons/agent), and nobody has set it to
// another value.
func own(key, name string, values ...string) check.Test {
	want := "--" + name + " as K3s sets it"
	if len(values) > 0 {
		want += ": " + strings.Join(values, " or ")
	}
	return flag(key, name, want, func(have string, set bool) bool { return !set || slices.Contains(values, have) })
}

// has: the flag's list holds the element.
func has(key, name, element string) check.Test {
	return flag(key, name, "--"+name+" with "+element, func(v string, _ bool) bool {
		return slices.Contains(strings.Split(v, ","), element)
	})
}

// lacks: the flag's list does not hold the element.
func lacks(key, name, element string) check.Test {
	return flag(key, name, "--"+name+" without "+element, func(v string, _ bool) bool {
		return !slices.Contains(strings.Split(v, ","), element)
	})
}

// atLeast: the flag is a whole number of least or more.
func atLeast(key, name string, least int) check.Test {
	return flag(key, name, fmt.Sprintf("--%s of %d or more", name, least), func(v string, _ bool) bool {
		n, err := strconv.Atoi(v)
		return err == nil && n >= least
	})
}

// strong: every suite named is one of ours, and one at least is named.
func strong(key string) check.Test {
	return flag(key, "tls-cipher-suites", node.CipherSuites+", or some of these", func(v string, _ bool) bool {
		return !slices.ContainsFunc(strings.Split(v, ","), func(s string) bool { return !slices.Contains(strings.Split(node.CipherSuites, ","), s) })
	})
}

// on: the switch of config.yaml is true.
func on(key string) check.Test {
	want := key + ": true"
	return func(root string) profiles.Result {
		c, err := readConfig(root)
		if err != nil {
			return check.Unreadable(err, want)
		}
		value, set := c.Values[key]
		have := fmt.Sprintf("%s: %v", key, value)
		if !set {
			have = key + " is not set"
		}
		return check.Verdict(value == true, have, want)
	}
}

func apiServerLines() []profiles.Check {
	const plugins, off = "enable-admission-plugins", "disable-admission-plugins"
	return []profiles.Check{
		check.Of("1.2.1", "Anonymous requests are refused", own(apiServer, "anonymous-auth", "false")),
		check.Of("1.2.2", "No file of static tokens", own(apiServer, "token-auth-file")),
		check.Of("1.2.3", "Services cannot claim outside addresses", has(apiServer, plugins, "DenyServiceExternalIPs")),
		check.Of("1.2.4", "The API server shows the kubelet a certificate", own(apiServer, "kubelet-client-certificate")),
		check.Of("1.2.5", "The API server checks the kubelet's certificate", own(apiServer, "kubelet-certificate-authority")),
		check.Of("1.2.6", "Not everyone is allowed everything", own(apiServer, "authorization-mode", "Node,RBAC")),
		check.Of("1.2.7", "A node may touch its own objects only", own(apiServer, "authorization-mode", "Node,RBAC")),
		check.Of("1.2.8", "Roles decide who may do what", own(apiServer, "authorization-mode", "Node,RBAC")),
		check.Of("1.2.9", "A flood of events is cut off", eventLimit),
		check.Of("1.2.10", "Not everything is admitted", lacks(apiServer, plugins, "AlwaysAdmit")),
		check.Of("1.2.12", "Pods run under a service account", lacks(apiServer, off, "ServiceAccount")),
		check.Of("1.2.13", "Nothing is made in a namespace that is going away", lacks(apiServer, off, "NamespaceLifecycle")),
		check.Of("1.2.14", "A node may change its own objects only", has(apiServer, plugins, "NodeRestriction")),
		check.Of("1.2.15", "No profiling of the API server", own(apiServer, "profiling", "false")),
		check.Of("1.2.16", "There is an audit log", given(apiServer, "audit-log-path")),
		check.Of("1.2.17", "The audit log is kept for 30 days or more", atLeast(apiServer, "audit-log-maxage", 30)),
		check.Of("1.2.18", "Ten or more full audit logs are kept", atLeast(apiServer, "audit-log-maxbackup", 10)),
		check.Of("1.2.19", "An audit log file may grow to 100 MB or more", atLeast(apiServer, "audit-log-maxsize", 100)),
		check.Of("1.2.21", "Tokens of deleted service accounts are worth nothing", own(apiServer, "service-account-lookup", "true")),
		check.Of("1.2.22", "Service account tokens are checked with a key of their own", own(apiServer, "service-account-key-file")),
		check.Of("1.2.23", "The API server shows etcd a certificate", own(apiServer, "etcd-certfile")),
		check.Of("1.2.24", "The API server serves TLS with its own certificate", own(apiServer, "tls-cert-file")),
		check.Of("1.2.25", "Clients are checked with the cluster's CA", own(apiServer, "client-ca-file")),
		check.Of("1.2.26", "The API server checks etcd's certificate", own(apiServer, "etcd-cafile")),
		check.Of("1.2.27", "Secrets are encrypted in the datastore", on("secrets-encryption")),
		check.Of("1.2.28", "Secrets are encrypted with a strong method first", encryption),
		check.Of("1.2.29", "The API server speaks strong TLS only", strong(apiServer)),
		check.Of("1.2.30", "Service account tokens are not lengthened", is(apiServer, "service-account-extend-token-expiration", "false")),
		check.Of("3.2.1", "There is an audit policy, and it logs", auditPolicy),
		check.Of("C.5", "Pods are restricted where their namespace says nothing", podSecurity),
	}
}

func controllerLines() []profiles.Check {
	return []profiles.Check{
		check.Of("1.3.1", "Finished pods are cleared away", given(controller, "terminated-pod-gc-threshold")),
		check.Of("1.3.2", "No profiling of the controller manager", own(controller, "profiling", "false")),
		check.Of("1.3.3", "Each controller has its own account", own(controller, "use-service-account-credentials", "true")),
		check.Of("1.3.4", "Service account tokens are signed with a key of their own", own(controller, "service-account-private-key-file")),
		check.Of("1.3.5", "Pods can check the API server's certificate", own(controller, "root-ca-file")),
		check.Of("1.3.6", "Kubelets' serving certificates can be renewed", lacks(controller, "feature-gates", "RotateKubeletServerCertificate=false")),
		check.Of("1.3.7", "The controller manager listens on this node only", own(controller, "bind-address", "127.0.0.1")),
		check.Of("1.4.1", "No profiling of the scheduler", own(scheduler, "profiling", "false")),
		check.Of("1.4.2", "The scheduler listens on this node only", own(scheduler, "bind-address", "127.0.0.1")),
	}
}

// etcdLines hold with SQLite as well: then nobody listens.
func etcdLines() []profiles.Check {
	return []profiles.Check{
		check.Of("2.1", "etcd serves TLS with its own certificate", own(etcd, "cert-file")),
		check.Of("2.2", "etcd serves clients with a certificate only", own(etcd, "client-cert-auth", "true")),
		check.Of("2.3", "etcd takes no certificate it made itself", own(etcd, "auto-tls", "false")),
		check.Of("2.4", "etcd's members speak TLS with each other", own(etcd, "peer-cert-file")),
		check.Of("2.5", "etcd's members check each other", own(etcd, "peer-client-cert-auth", "true")),
		check.Of("2.6", "etcd's members take no certificate they made themselves", own(etcd, "peer-auto-tls", "false")),
		check.Of("2.7", "etcd has a CA of its own", own(etcd, "trusted-ca-file")),
	}
}
