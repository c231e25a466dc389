package rke2cis

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/node"
)

// Section 4.2: the kubelet's settings.
func kubelet() []profiles.Check {
	is := func(want string) func(string) bool { return func(v string) bool { return v == want } }
	not := func(not ...string) func(string) bool {
		return func(v string) bool {
			for _, n := range not {
				if v == n {
					return false
				}
			}
			return true
		}
	}
	number := func(v string) bool {
		n, err := strconv.ParseFloat(v, 64)
		return err == nil && n > 0
	}
	line := check.Of
	return []profiles.Check{
		line("4.2.1", "The kubelet refuses anonymous requests", setting("anonymous-auth", "false", is("false"))),
		line("4.2.2", "The kubelet asks the API server who may do what", setting("authorization-mode", "Webhook", is("Webhook"))),
		line("4.2.3", "The kubelet checks its clients with the cluster's CA", setting("client-ca-file", "a file", not(""))),
		line("4.2.4", "The kubelet has no port without checks", setting("read-only-port", "0", is("0"))),
		line("4.2.5", "Idle connections into containers are closed", setting("streaming-connection-idle-timeout", "not 0", not("0", "0s"))),
		line("4.2.6", "The kubelet keeps its own firewall chains", setting("make-iptables-util-chains", "not false", not("false"))),
		line("4.2.7", "The node is known by its own name", ownName),
		line("4.2.8", "Events are recorded, and not without bound", setting("event-qps", "more than 0, or not set", func(v string) bool { return v == "" || number(v) })),
		line("4.2.9", "The kubelet serves TLS with a certificate of the cluster's CA", setting("tls-cert-file", "a file", not(""))),
		line("4.2.10", "The kubelet renews its own certificate", renewed),
		line("4.2.11", "The kubelet's serving certificate can be renewed", setting("feature-gates", "without RotateKubeletServerCertificate=false", func(v string) bool { return !strings.Contains(v, "RotateKubeletServerCertificate=false") })),
		line("4.2.12", "The kubelet speaks strong TLS only", setting("tls-cipher-suites", node.CipherSuites+", or some of these", strong)),
		line("4.2.13", "A pod may not use up all process ids", setting("pod-max-pids", "more than 0", number)),
		line("4.2.14", "Containers run under the default seccomp profile", setting("seccomp-default", "true", is("true"))),
		line("4.3.1", "kube-proxy's numbers are for this node alone", proxyNumbers),
		line("C.1", "The kubelet changes no kernel setting, and checks them", setting("protect-kernel-defaults", "true", is("true"))),
	}
}

// ownName: RKE2 always tells its kubelet a name; it must be the host's.
func ownName(root string) profiles.Result {
	const want = "the name in /etc/hostname"
	host, err := os.ReadFile(filepath.Join(root, "etc/hostname"))
	if err != nil {
		return check.Unreadable(err, want)
	}
	flags, from, err := kubeletFlags(root)
	if err != nil {
		return check.Unreadable(err, want)
	}
	name, set := flags["hostname-override"]
	if !set {
		c, err := config.Read(os.DirFS(filepath.Join(root, "etc/rancher/rke2")))
		if err != nil {
			return check.Unreadable(err, want)
		}
		name, _ = c.Values["node-name"].(string)
		from = "node-name of config.yaml"
	}
	return check.Verdict(name == strings.TrimSpace(string(host)), name+" ("+from+")", want)
}

// proxyNumbers: kube-proxy's own default is this node alone. Some pod networks do
// its work themselves.
func proxyNumbers(root string) profiles.Result {
	const want = "--metrics-bind-address of 127.0.0.1, or not set"
	if _, err := os.Stat(filepath.Join(root, manifests, "kube-proxy.yaml")); os.IsNotExist(err) {
		return profiles.Result{Status: check.NotApplicable, Have: "no kube-proxy on this node", Want: want}
	}
	return pods.Flag("kube-proxy", "metrics-bind-address", want, func(v string, set bool) bool {
		return !set || v == "127.0.0.1" || strings.HasPrefix(v, "127.0.0.1:")
	})(root)
}

// renewed: see C.8 for how long they last.
func renewed(string) profiles.Result {
	return profiles.Result{Status: check.NotApplicable, Have: "RKE2 itself renews it, at a start", Want: "--rotate-certificates"}
}

// vendorDefaults are the kubelet's settings that RKE2 has of its own (rke2
// pkg/cli/defaults; k3s pkg/daemons/agent).
var vendorDefaults = map[string]string{
	"anonymous-auth": "false", "authorization-mode": "Webhook", "read-only-port": "0",
	"client-ca-file": agent + "client-ca.crt", "tls-cert-file": agent + "serving-kubelet.crt",
}

func setting(name, want string, ok func(string) bool) check.Test {
	want = "--" + name + " " + want
	return func(root string) profiles.Result {
		flags, from, err := kubeletFlags(root)
		if err != nil {
			return check.Unreadable(err, want)
		}
		value, set := flags[name]
		have := "--" + name + "=" + value
		if !set {
			have = "--" + name + " is not set"
		}
		return check.Verdict(ok(value), have+" ("+from+")", want)
	}
}

// kubeletFlags is the command line of the kubelet that runs; with none, what RKE2
// would start it with by its configuration.
func kubeletFlags(root string) (map[string]string, string, error) {
	names, err := filepath.Glob(filepath.Join(root, "proc/[0-9]*/comm"))
	if err != nil {
		return nil, "", err
	}
	flags := map[string]string{}
	add := func(arg string) {
		if arg, ok := strings.CutPrefix(arg, "--"); ok {
			name, value, given := strings.Cut(arg, "=")
			if !given {
				value = "true"
			}
			flags[name] = value
		}
	}
	for _, n := range names {
		if raw, err := os.ReadFile(n); err != nil || strings.TrimSpace(string(raw)) != "kubelet" {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(filepath.Dir(n), "cmdline"))
		if err != nil {
			return nil, "", err
		}
		for _, arg := range strings.Split(string(raw), "\x00") {
			add(arg)
		}
		// What is no flag is in the drop-ins that RKE2 writes; only what it sets there
		// itself may be missing here.
		for name, value := range vendorDefaults {
			if _, ok := flags[name]; !ok && flags["config-dir"]+flags["config"] != "" {
				flags[name] = value
			}
		}
		return flags, "the running kubelet", nil
	}
	c, err := config.Read(os.DirFS(filepath.Join(root, "etc/rancher/rke2")))
	if err != nil {
		return nil, "", err
	}
	for name, value := range vendorDefaults {
		flags[name] = value
	}
	if c.Values["profile"] == "cis" || c.Values["protect-kernel-defaults"] == true {
		flags["protect-kernel-defaults"] = "true"
	}
	for _, arg := range c.Args {
		if arg, ok := strings.CutPrefix(arg, "--kubelet-arg="); ok {
			add("--" + arg)
		}
	}
	return flags, "config.yaml; no kubelet runs", nil
}
