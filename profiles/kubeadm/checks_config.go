package kubeadm

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
)

// ownCA: etcd is not checked with the cluster's CA, or every certificate of the
// cluster would open it.
func ownCA(root string) profiles.Result {
	const want = "another CA than " + caCert
	flags, err := flagsOf(root, "etcd")
	if err != nil {
		return unreadable(err, want)
	}
	of := flags["trusted-ca-file"]
	theirs, err := os.ReadFile(filepath.Join(root, of))
	if err != nil {
		return unreadable(err, want)
	}
	ours, err := os.ReadFile(filepath.Join(root, caCert))
	if err != nil {
		return unreadable(err, want)
	}
	return verdict(of != "" && string(theirs) != string(ours), of, want)
}

// harmless are the paths that anonymous requests may reach: they say whether
// the API server is well.
var harmless = []string{"/livez", "/readyz", "/healthz"}

// anonymous: off by flag, or by an AuthenticationConfiguration that lets
// anonymous requests reach health paths only, as the kubelet's probes need.
func anonymous(root string) profiles.Result {
	const want = "--anonymous-auth=false, or health paths only"
	flags, err := flagsOf(root, "kube-apiserver")
	if err != nil {
		return unreadable(err, want)
	}
	if flags["anonymous-auth"] == "false" {
		return verdict(true, "--anonymous-auth=false", want)
	}
	path := flags["authentication-config"]
	if path == "" {
		return verdict(false, "every path", want)
	}
	var c struct {
		Anonymous *struct {
			Enabled    bool `json:"enabled"`
			Conditions []struct {
				Path string `json:"path"`
			} `json:"conditions"`
		} `json:"anonymous"`
	}
	if err := check.ReadYAML(root, path, &c); err != nil {
		return unreadable(err, want)
	}
	if c.Anonymous == nil || (c.Anonymous.Enabled && len(c.Anonymous.Conditions) == 0) {
		return verdict(false, "every path", want)
	}
	var paths []string
	ok := true
	for _, cond := range c.Anonymous.Conditions {
		paths = append(paths, cond.Path)
		ok = ok && slices.Contains(harmless, cond.Path)
	}
	return verdict(ok || !c.Anonymous.Enabled, "anonymous: "+strings.Join(paths, ", "), want)
}

// setting is a check of one value of the kubelet's configuration, at a dotted
// path; a value that is not there is "".
func setting(path, want string, ok func(string) bool) test {
	return func(root string) profiles.Result {
		var c map[string]any
		if err := check.ReadYAML(root, kubeletConfig, &c); err != nil {
			return unreadable(err, want)
		}
		value := check.Lookup(c, strings.Split(path, "."))
		have := path + ": " + value
		if value == "" {
			have = path + " is not set"
		}
		return verdict(ok(value), have, want)
	}
}

func oneOf(values ...string) func(string) bool {
	return func(v string) bool { return slices.Contains(values, v) }
}

func other(than string) func(string) bool { return func(v string) bool { return v != than } }

func given(v string) bool { return v != "" }

func kubeletLines() []line {
	return []line{
		{"4.2.1", "The kubelet refuses anonymous requests", setting("authentication.anonymous.enabled", "false", oneOf("false"))},
		{"4.2.2", "The kubelet asks the API server who may do what", setting("authorization.mode", "Webhook", oneOf("Webhook"))},
		{"4.2.3", "The kubelet checks its clients with the cluster's CA", setting("authentication.x509.clientCAFile", "a file", given)},
		{"4.2.4", "The kubelet has no port without checks", setting("readOnlyPort", "0 or not set", oneOf("", "0"))},
		{"4.2.5", "Idle connections into containers are closed", setting("streamingConnectionIdleTimeout", "not 0", func(v string) bool { return v != "0" && v != "0s" })},
		{"4.2.6", "The kubelet keeps its own firewall chains", setting("makeIPTablesUtilChains", "true", oneOf("", "true"))},
		{"4.2.7", "The node is known by its own name", hostname},
		{"4.2.8", "Events are recorded, and not without bound", setting("eventRecordQPS", "more than 0", func(v string) bool {
			n, err := strconv.ParseFloat(v, 64)
			return v == "" || (err == nil && n > 0)
		})},
		{"4.2.9", "The kubelet serves TLS with a certificate of the cluster's CA", serving},
		{"4.2.10", "The kubelet renews its own certificate", setting("rotateCertificates", "true", oneOf("", "true"))},
		{"4.2.11", "The kubelet's serving certificate can be renewed", setting("featureGates.RotateKubeletServerCertificate", "not false", other("false"))},
		{"4.2.12", "The kubelet speaks strong TLS only", setting("tlsCipherSuites", cipherSuites+", or some of these", func(v string) bool { return strong(v, true) })},
		{"4.2.13", "A pod may not use up all process ids", setting("podPidsLimit", "more than 0", func(v string) bool {
			n, err := strconv.ParseFloat(v, 64)
			return err == nil && n > 0
		})},
		{"4.2.14", "Containers run under the default seccomp profile", setting("seccompDefault", "true", oneOf("true"))},
		{"C.1", "The kubelet changes no kernel setting, and checks them", setting("protectKernelDefaults", "true", oneOf("true"))},
	}
}

// approvedCert is where a kubelet keeps the serving certificate that it asked the
// cluster for and was given.
const approvedCert = "/var/lib/kubelet/pki/kubelet-server-current.pem"

// serving: a control plane's certificate is made by Keys. A worker asks the
// cluster for its own, and has none until a person has approved that.
func serving(root string) profiles.Result {
	const want = "tlsCertFile, or serverTLSBootstrap and a certificate that was approved"
	var c struct {
		TLSCertFile        string `json:"tlsCertFile"`
		ServerTLSBootstrap bool   `json:"serverTLSBootstrap"`
	}
	if err := check.ReadYAML(root, kubeletConfig, &c); err != nil {
		return unreadable(err, want)
	}
	if c.TLSCertFile != "" {
		return verdict(true, "tlsCertFile: "+c.TLSCertFile, want)
	}
	if !c.ServerTLSBootstrap {
		return verdict(false, "neither: the kubelet's certificate is of its own making", want)
	}
	if _, err := os.Lstat(filepath.Join(root, approvedCert)); err != nil {
		return profiles.Result{Status: manual, Have: "serverTLSBootstrap and no certificate yet: approve the kubelet's request (kubectl get csr)", Want: want}
	}
	return verdict(true, approvedCert, want)
}

// hostname: the kubelet is not told another name than the host's; kubeadm adds
// the flag only when the two differ.
func hostname(root string) profiles.Result {
	const path, want = "/var/lib/kubelet/kubeadm-flags.env", "--hostname-override not set"
	raw, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		return unreadable(err, want)
	}
	if strings.Contains(string(raw), "--hostname-override") {
		return verdict(false, "--hostname-override is set", want)
	}
	return verdict(true, "not set", want)
}
