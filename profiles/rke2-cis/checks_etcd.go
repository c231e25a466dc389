package rke2cis

import (
	"os"
	"path/filepath"
	"strings"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
)

// etcdConfig is the file that etcd is started with (k3s pkg/etcd/etcd.go).
const etcdConfig = server + "db/etcd/config"

// Section 2: etcd.
func etcd() []profiles.Check {
	const clients, peers = "client-transport-security.", "peer-transport-security."
	line := check.Of
	return []profiles.Check{
		line("2.1", "etcd serves TLS with its own certificate", etcdHas(clients+"cert-file", clients+"key-file")),
		line("2.2", "etcd serves clients with a certificate only", etcdIs(clients+"client-cert-auth", "true")),
		line("2.3", "etcd takes no certificate it made itself", etcdNot(clients+"auto-tls", "true")),
		line("2.4", "etcd's members speak TLS with each other", etcdHas(peers+"cert-file", peers+"key-file")),
		line("2.5", "etcd's members check each other", etcdIs(peers+"client-cert-auth", "true")),
		line("2.6", "etcd's members take no certificate they made themselves", etcdNot(peers+"auto-tls", "true")),
		line("2.7", "etcd has a CA of its own", ownCA),
	}
}

func etcdTest(path, want string, ok func(string) bool) check.Test {
	return func(root string) profiles.Result {
		var c map[string]any
		if err := check.ReadYAML(root, etcdConfig, &c); err != nil {
			return check.Unreadable(err, want)
		}
		value := check.Lookup(c, strings.Split(path, "."))
		return check.Verdict(ok(value), path+": "+value, want)
	}
}

func etcdIs(path, value string) check.Test {
	return etcdTest(path, path+": "+value, func(v string) bool { return v == value })
}

func etcdNot(path, value string) check.Test {
	return etcdTest(path, path+" not "+value, func(v string) bool { return v != value })
}

func etcdHas(paths ...string) check.Test {
	return func(root string) profiles.Result {
		var r profiles.Result
		for _, p := range paths {
			if r = etcdTest(p, p+" with a value", func(v string) bool { return v != "" })(root); r.Status != check.Pass {
				break
			}
		}
		return r
	}
}

// ownCA: etcd is not checked with the CA that clients of the API server have, or
// every certificate of the cluster would open it.
func ownCA(root string) profiles.Result {
	const want = "another CA than " + agent + "client-ca.crt"
	theirs, err := os.ReadFile(filepath.Join(root, server, "tls/etcd/server-ca.crt"))
	if err != nil {
		return check.Unreadable(err, want)
	}
	ours, err := os.ReadFile(filepath.Join(root, agent, "client-ca.crt"))
	if err != nil {
		return check.Unreadable(err, want)
	}
	return check.Verdict(string(theirs) != string(ours), server+"tls/etcd/server-ca.crt", want)
}

// Section 3: what is written down.
func audit() []profiles.Check {
	return []profiles.Check{
		check.Of("3.2.1", "There is an audit policy", pods.IsSet("kube-apiserver", "audit-policy-file")),
		check.Of("3.2.2", "The audit policy writes down what people do", logs),
	}
}

// logs: RKE2's own policy has one rule, which logs nothing.
func logs(root string) profiles.Result {
	const want = "rules for secrets, and one for all else, that log"
	flags, err := pods.Flags(root, "kube-apiserver")
	if err != nil {
		return check.Unreadable(err, want)
	}
	var c struct {
		Rules []struct {
			Level     string           `json:"level"`
			Users     []string         `json:"users"`
			Groups    []string         `json:"userGroups"`
			Verbs     []string         `json:"verbs"`
			URLs      []string         `json:"nonResourceURLs"`
			Resources []map[string]any `json:"resources"`
		} `json:"rules"`
	}
	if err := check.ReadYAML(root, flags["audit-policy-file"], &c); err != nil {
		return check.Unreadable(err, want)
	}
	rest, secrets := "no rule for all else", "no rule for secrets"
	for _, r := range c.Rules {
		if len(r.Users)+len(r.Groups)+len(r.Verbs)+len(r.URLs)+len(r.Resources) == 0 {
			rest = r.Level
			break
		}
		for _, res := range r.Resources {
			if strings.Contains(check.Lookup(res, []string{"resources"}), "secrets") && len(r.Users)+len(r.Groups) == 0 {
				secrets = r.Level
			}
		}
	}
	ok := map[string]bool{"Metadata": true, "Request": true, "RequestResponse": true}
	return check.Verdict(ok[rest] && secrets == "Metadata", "secrets: "+secrets+"; all else: "+rest, want)
}
