package k3sedge

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/node"
	"caisson.dev/caisson/spec"
)

// pointed reads the file that a flag of the API server names.
func pointed(root, flag string, v any) error {
	flags, err := flagsOf(root, apiServer)
	if err != nil {
		return err
	}
	if flags[flag] == "" {
		return fmt.Errorf("--%s is not set", flag)
	}
	return check.ReadYAML(root, flags[flag], v)
}

// encryptionFile is what K3s makes when secrets-encryption is on (k3s
// pkg/daemons/control/deps, genEncryptionConfigAndState).
var encryptionFile = credDir + "/encryption-config.json"

// encryption: the first provider for secrets is the one that writes.
func encryption(root string) profiles.Result {
	const want = "aescbc, aesgcm, secretbox or kms first"
	var c struct {
		Resources []struct {
			Resources []string         `json:"resources"`
			Providers []map[string]any `json:"providers"`
		} `json:"resources"`
	}
	if err := check.ReadYAML(root, encryptionFile, &c); err != nil {
		return check.Unreadable(err, want)
	}
	for _, r := range c.Resources {
		if !slices.Contains(r.Resources, "secrets") || len(r.Providers) == 0 {
			continue
		}
		for provider := range r.Providers[0] {
			return check.Verdict(slices.Contains([]string{"aescbc", "aesgcm", "secretbox", "kms"}, provider), "secrets: "+provider, want)
		}
	}
	return check.Verdict(false, "secrets: as they are", want)
}

// admission is the part of AdmissionConfiguration that is looked at.
type admission struct {
	Plugins []struct {
		Name          string `json:"name"`
		Configuration struct {
			Defaults struct {
				Enforce string `json:"enforce"`
			} `json:"defaults"`
			Limits []struct {
				QPS   int `json:"qps"`
				Burst int `json:"burst"`
			} `json:"limits"`
		} `json:"configuration"`
	} `json:"plugins"`
}

// eventLimit: the plugin is on, and has the limits without which the API server
// does not start.
func eventLimit(root string) profiles.Result {
	const want = "EventRateLimit on, with limits of its own"
	if r := has(apiServer, "enable-admission-plugins", "EventRateLimit")(root); r.Status != check.Pass {
		return profiles.Result{Status: r.Status, Have: r.Have, Want: want}
	}
	var c admission
	if err := pointed(root, "admission-control-config-file", &c); err != nil {
		return check.Unreadable(err, want)
	}
	for _, p := range c.Plugins {
		if p.Name == "EventRateLimit" && len(p.Configuration.Limits) > 0 && p.Configuration.Limits[0].QPS > 0 && p.Configuration.Limits[0].Burst > 0 {
			return check.Verdict(true, fmt.Sprintf("%d limits", len(p.Configuration.Limits)), want)
		}
	}
	return check.Verdict(false, "no limits", want)
}

// podAdmission is what the API server was told of pods.
func podAdmission(root string) (check.Admission, error) {
	var c check.Admission
	return c, pointed(root, "admission-control-config-file", &c)
}

// podSecurity: what a namespace without labels of its own may run.
func podSecurity(root string) profiles.Result {
	const want = "PodSecurity, enforce: restricted"
	var c admission
	if err := pointed(root, "admission-control-config-file", &c); err != nil {
		return check.Unreadable(err, want)
	}
	have := "no PodSecurity"
	for _, p := range c.Plugins {
		if p.Name == "PodSecurity" {
			have = "enforce: " + p.Configuration.Defaults.Enforce
		}
	}
	return check.Verdict(have == "enforce: restricted", have, want)
}

// auditPolicy: a policy whose rules all say None is one in name only.
func auditPolicy(root string) profiles.Result {
	const want = "a rule that logs, for what no other rule names"
	var c struct {
		Rules []struct {
			Level string   `json:"level"`
			Verbs []string `json:"verbs"`
			Users []string `json:"users"`
		} `json:"rules"`
	}
	if err := pointed(root, "audit-policy-file", &c); err != nil {
		return check.Unreadable(err, want)
	}
	if len(c.Rules) == 0 {
		return check.Verdict(false, "no rule", want)
	}
	last := c.Rules[len(c.Rules)-1]
	return check.Verdict(last.Level != "None" && last.Level != "" && len(last.Verbs)+len(last.Users) == 0, "the last rule: level "+last.Level, want)
}

// kubeletLines: K3s's defaults for its kubelet (k3s pkg/daemons/agent) and the
// arguments of config.yaml.
func kubeletLines(role string) []profiles.Check {
	return []profiles.Check{
		check.Of("4.2.1", "The kubelet refuses anonymous requests", own(kubelet, "anonymous-auth", "false")),
		check.Of("4.2.2", "The kubelet asks the API server who may do what", own(kubelet, "authorization-mode", "Webhook")),
		check.Of("4.2.3", "The kubelet checks its clients with the cluster's CA", own(kubelet, "client-ca-file")),
		check.Of("4.2.4", "The kubelet has no port without checks", own(kubelet, "read-only-port", "0")),
		check.Of("4.2.5", "Idle connections into containers are closed", is(kubelet, "streaming-connection-idle-timeout", "5m")),
		check.Of("4.2.6", "The kubelet keeps its own firewall chains", own(kubelet, "make-iptables-util-chains", "true")),
		check.Of("4.2.7", "The node is known by its own name", ownName),
		check.Of("4.2.8", "Events are recorded, and not without bound", own(kubelet, "event-qps")),
		check.Of("4.2.9", "The kubelet serves TLS with a certificate of the cluster's CA", own(kubelet, "tls-cert-file")),
		check.Of("4.2.10", "The kubelet renews its own certificate", own(kubelet, "rotate-certificates", "true")),
		check.Of("4.2.11", "The kubelet's serving certificate can be renewed", lacks(kubelet, "feature-gates", "RotateKubeletServerCertificate=false")),
		check.Of("4.2.12", "The kubelet speaks strong TLS only", strong(kubelet)),
		check.Of("4.2.13", "A pod may not use up all process ids", atLeast(kubelet, "pod-max-pids", 1)),
		check.Of("4.2.14", "Containers run under the default seccomp profile", is(kubelet, "seccomp-default", "true")),
		check.Of("4.3.1", "kube-proxy's numbers are for this node alone", own("kube-proxy-arg", "metrics-bind-address", "127.0.0.1")),
		check.Of("C.1", "The kubelet changes no kernel setting, and checks them", on("protect-kernel-defaults")),
		check.Of("C.6", "No key of config.yaml is passed over", known(role)),
	}
}

// ownName: K3s always tells its kubelet a name; it must be the host's.
func ownName(root string) profiles.Result {
	const want = "node-name as in /etc/hostname"
	host, err := os.ReadFile(filepath.Join(root, "/etc/hostname"))
	if err != nil {
		return check.Unreadable(err, want)
	}
	c, err := readConfig(root)
	if err != nil {
		return check.Unreadable(err, want)
	}
	have := fmt.Sprint(c.Values["node-name"])
	return check.Verdict(have == strings.TrimSpace(string(host)), have, want)
}

// known: K3s passes over a key that it does not know with a warning. What the Spec
// leaves unchecked is left so here.
func known(role string) check.Test {
	const want = "keys that K3s takes in this role"
	return func(root string) profiles.Result {
		c, err := readConfig(root)
		if err != nil {
			return check.Unreadable(err, want)
		}
		t := config.Target{Product: config.K3s, Role: config.First, Version: anyRelease}
		if role == spec.Worker {
			t.Role = config.Agent
		}
		if err := config.Check(t, c.Values, unchecked(root)...); err != nil {
			return check.Unreadable(err, want)
		}
		return check.Verdict(true, fmt.Sprintf("%d keys", len(c.Values)), want)
	}
}

// unchecked are the keys that the node's Spec leaves to its author; none if it
// cannot be read.
func unchecked(root string) []string {
	raw, err := os.ReadFile(filepath.Join(root, bundle.NodeSpec))
	if err != nil {
		return nil
	}
	l, err := spec.Parse(raw, root)
	if err != nil {
		return nil
	}
	return node.Extra(l.Enclave).Unchecked
}

// anyRelease stands for a release that has every key of the table: which one the
// node runs, and what was checked for it, is the desk's business.
const anyRelease = "v1.99.0+k3s1"
