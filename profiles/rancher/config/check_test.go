package config

import (
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/internal/fault"
)

const (
	old   = "v1.31.3+rke2r1"
	newer = "v1.36.3+rke2r1"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		summary string
		target  Target
		values  Values
		code    string // empty: it passes
		words   string
	}{
		{"a misspelt key", Target{RKE2, First, newer}, Values{"protect-kernel-default": true}, "RANCHER-KEY-UNKNOWN", "did you mean protect-kernel-defaults?"},
		{"underscores", Target{RKE2, First, newer}, Values{"node_ip": "10.0.0.1"}, "RANCHER-KEY-UNKNOWN", "did you mean node-ip?"},
		{"leading dashes", Target{RKE2, First, newer}, Values{"--node-ip": "10.0.0.1"}, "RANCHER-KEY-UNKNOWN", "did you mean node-ip?"},
		{"the short name", Target{K3s, Agent, newer}, Values{"s": "https://10.0.0.1:6443"}, "RANCHER-KEY-UNKNOWN", "write the long name server"},
		{"the append form", Target{K3s, First, newer}, Values{"kubelet-arg+": []any{"a=b"}}, "RANCHER-KEY-UNKNOWN", "write kubelet-arg"},
		{"nothing near", Target{K3s, First, newer}, Values{"zzzzzzzzzzzzzzzzzzzzz": "1"}, "RANCHER-KEY-UNKNOWN", "under unchecked"},
		{"RKE2's profile in K3s", Target{K3s, First, newer}, Values{"profile": "cis"}, "RANCHER-KEY-UNKNOWN", "it is for RKE2 servers, RKE2 agents"},
		{"K3s' key in RKE2", Target{RKE2, First, newer}, Values{"cluster-init": true}, "RANCHER-KEY-UNKNOWN", "it is for K3s servers"},
		{"a key that RKE2 drops", Target{RKE2, First, newer}, Values{"disable-helm-controller": true}, "RANCHER-KEY-UNKNOWN", "it is for K3s servers"},
		{"a server's key on an agent", Target{RKE2, Agent, newer}, Values{"tls-san": []any{"a"}}, "RANCHER-KEY-ROLE", "it is for RKE2 servers, K3s servers"},
		{"an agent's key on a server", Target{K3s, Further, newer}, Values{"disable-apiserver-lb": true}, "RANCHER-KEY-ROLE", "it is for K3s agents"},
		{"read and without effect", Target{RKE2, Agent, newer}, Values{"audit-policy-file": "/a"}, "RANCHER-KEY-ROLE", "does nothing there"},
		{"always on", Target{RKE2, First, newer}, Values{"secrets-encryption": false}, "RANCHER-KEY-ROLE", "does nothing there"},
		{"joins itself", Target{RKE2, First, newer}, Values{"server": "https://10.0.0.1:9345"}, "RANCHER-KEY-ROLE", "on those that join"},
		{"starts a second cluster", Target{K3s, Further, newer}, Values{"cluster-init": true}, "RANCHER-KEY-ROLE", "first server only"},
		{"too old", Target{RKE2, First, old}, Values{"etcd-s3-retention": 3}, "RANCHER-KEY-VERSION", "need v1.31.12, v1.32.8, v1.33.4 or later in its line"},
		{"too old in its line", Target{K3s, First, "v1.33.3+k3s1"}, Values{"etcd-s3-retention": 3}, "RANCHER-KEY-VERSION", "v1.33.3+k3s1"},
		{"backported", Target{K3s, First, "v1.31.12+k3s1"}, Values{"etcd-s3-retention": 3}, "", ""},
		{"a candidate has its release's keys", Target{RKE2, First, "v1.31.12-rc1+rke2r1"}, Values{"etcd-s3-retention": 3}, "", ""},
		{"a later line", Target{RKE2, First, "v1.34.0+rke2r1"}, Values{"etcd-s3-retention": 3}, "", ""},
		{"the vendor's other registry", Target{RKE2, First, newer}, Values{"prime": true}, "RANCHER-KEY-NEVER", "paying customers"},
		{"a reset at each start", Target{K3s, First, newer}, Values{"cluster-reset": true}, "RANCHER-KEY-NEVER", "command line, once"},
		{"a network outside", Target{K3s, Agent, newer}, Values{"vpn-auth": "name=tailscale"}, "RANCHER-KEY-NEVER", "outside the enclave"},
		{"no version", Target{RKE2, First, "1.36"}, Values{}, "RANCHER-KEY-VERSION", `have version "1.36", need one such as v1.36.3+rke2r1`},

		{"an octal mode", Target{RKE2, First, newer}, Values{"write-kubeconfig-mode": uint64(384)}, "RANCHER-KEY-VALUE", "have uint64 384, need a string in quotes"},
		{"a quoted mode", Target{RKE2, First, newer}, Values{"write-kubeconfig-mode": "0600"}, "", ""},
		{"a quoted switch", Target{RKE2, First, newer}, Values{"selinux": "yes"}, "RANCHER-KEY-VALUE", "need true or false without quotes"},
		{"a number for a duration", Target{K3s, First, newer}, Values{"etcd-s3-timeout": 10}, "RANCHER-KEY-VALUE", `need a duration such as "10m"`},
		{"no duration", Target{K3s, First, newer}, Values{"etcd-s3-timeout": "10"}, "RANCHER-KEY-VALUE", `need a duration such as "10m"`},
		{"a duration", Target{K3s, First, newer}, Values{"etcd-s3-timeout": 10 * time.Minute}, "", ""},
		{"a number in quotes", Target{K3s, First, newer}, Values{"etcd-snapshot-retention": "5"}, "RANCHER-KEY-VALUE", "need a number"},
		{"a list of one-value key", Target{K3s, First, newer}, Values{"node-name": []any{"a", "b"}}, "RANCHER-KEY-VALUE", "only the last would count"},
		{"one string for a list", Target{K3s, First, newer}, Values{"tls-san": "a,b"}, "", ""},
		{"numbers in a list", Target{K3s, First, newer}, Values{"tls-san": []any{"a", 1}}, "RANCHER-KEY-VALUE", "need a list of strings"},
		{"a mapping in a list", Target{K3s, First, newer}, Values{"kubelet-arg": []any{map[string]any{"max-pods": 1}}}, "RANCHER-KEY-VALUE", "in a list"},
		{"an empty list", Target{K3s, First, newer}, Values{"tls-san": []any{}}, "RANCHER-KEY-VALUE", "have nothing"},
		{"null", Target{K3s, First, newer}, Values{"node-name": nil}, "RANCHER-KEY-VALUE", "have nothing"},
		{"empty text", Target{K3s, First, newer}, Values{"node-name": ""}, "RANCHER-KEY-VALUE", `have ""`},
		{"two lines", Target{K3s, First, newer}, Values{"node-name": "a\nb"}, "RANCHER-KEY-VALUE", "control characters"},
		{"a fraction", Target{K3s, First, newer}, Values{"etcd-snapshot-retention": 1.5}, "RANCHER-KEY-VALUE", "have float64"},
		{"a comma that does not part", Target{K3s, Agent, newer}, Values{"node-label": []any{"a=b,c=d"}}, "RANCHER-KEY-VALUE", "one item to the reader"},
		{"an argument without a value", Target{K3s, Agent, newer}, Values{"kubelet-arg": []any{"max-pods"}}, "RANCHER-KEY-VALUE", "need name=value"},
		{"arguments with commas and signs", Target{K3s, First, newer}, Values{"kube-apiserver-arg": []any{"enable-admission-plugins+=A,B", "--x=y"}}, "", ""},
		{"an unknown CNI", Target{RKE2, First, newer}, Values{"cni": []any{"weave"}}, "RANCHER-KEY-VALUE", `have "weave", need one of none, calico, canal, cilium, flannel, multus`},
		{"multus with another", Target{RKE2, First, newer}, Values{"cni": "multus,canal"}, "", ""},
		{"a benchmark's name", Target{RKE2, First, newer}, Values{"profile": "cis-1.23"}, "RANCHER-KEY-VALUE", "need one of cis, etcd"},
		{"profile etcd too early", Target{RKE2, First, "v1.31.9+rke2r1"}, Values{"profile": "etcd"}, "RANCHER-KEY-VALUE", "need one of cis"},
		{"profile etcd", Target{RKE2, First, "v1.31.10+rke2r1"}, Values{"profile": "etcd"}, "", ""},
	} {
		t.Run(c.summary, func(t *testing.T) {
			err := Check(c.target, c.values)
			if c.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			all := fault.All(err)
			if len(all) != 1 || all[0].Code != c.code || !strings.Contains(err.Error(), c.words) {
				t.Errorf("have %v, need one %s with %q", err, c.code, c.words)
			}
		})
	}
}

func TestCheckReportsAllAtOnce(t *testing.T) {
	err := Check(Target{RKE2, Agent, old}, Values{"profil": "cis", "tls-san": "a", "etcd-s3-timeout": "1m", "selinux": "no", "node-name": "ok", "vpn-auth": "x"})
	var codes []string
	for _, f := range fault.All(err) {
		codes = append(codes, f.Code)
	}
	if have, want := strings.Join(codes, " "), "RANCHER-KEY-ROLE RANCHER-KEY-UNKNOWN RANCHER-KEY-VALUE RANCHER-KEY-ROLE RANCHER-KEY-NEVER"; have != want {
		t.Errorf("have %s, need %s:\n%v", have, want, err)
	}
}

func TestUncheckedKeysAreStillWritable(t *testing.T) {
	target := Target{K3s, First, newer}
	if err := Check(target, Values{"brand-new": "x", "node-name": 5}, "brand-new", "node-name"); err != nil {
		t.Error(err)
	}
	for _, v := range []Values{{"brand-new": map[string]any{"a": 1}}, {"Brand New": "x"}, {"a=b": "x"}, {"-a": "x"}} {
		for name := range v {
			if err := Check(target, v, name); !KeyValue.Is(err) {
				t.Errorf("%v: have %v, need RANCHER-KEY-VALUE", v, err)
			}
		}
	}
}

func TestSecretsAreInNoError(t *testing.T) {
	const secret = "hunter2hunter2"
	target := Target{RKE2, First, newer}
	for _, v := range []Values{{"token": " " + secret}, {"token": []any{secret, secret}}, {"agent-token": "a" + secret + "\n"}, {"datastore-endpoint": map[string]any{secret: secret}}} {
		if err := Check(target, v); !KeyValue.Is(err) || strings.Contains(err.Error(), secret) {
			t.Errorf("have %v, need RANCHER-KEY-VALUE without the secret", err)
		}
	}
	_, err := New(target).String("token", secret).Extra(Extra{Server: map[string]any{"token": "other" + secret}}).File()
	if !KeyConflict.Is(err) || strings.Contains(err.Error(), secret) {
		t.Errorf("have %v, need RANCHER-KEY-CONFLICT without the secrets", err)
	}
	err = CheckServers(RKE2, Values{"agent-token": secret}, Values{})
	if !ServersDiffer.Is(err) || strings.Contains(err.Error(), secret) {
		t.Errorf("have %v, need RANCHER-SERVERS-DIFFER without the secret", err)
	}
}

func TestCheckServers(t *testing.T) {
	for _, c := range []struct {
		summary        string
		product        Product
		first, further Values
		words          string
	}{
		{"the same", RKE2, Values{"cluster-cidr": []string{"10.42.0.0/16"}, "node-name": "a"}, Values{"cluster-cidr": []any{"10.42.0.0/16"}, "node-name": "b"}, ""},
		{"one without", RKE2, Values{"cluster-cidr": "10.42.0.0/16"}, Values{}, "cluster-cidr is 10.42.0.0/16 on the first and nothing on the other"},
		{"encryption", K3s, Values{"secrets-encryption": true}, Values{"secrets-encryption": false}, "secrets-encryption is true on the first and false"},
		{"K3s' load balancer", K3s, Values{"disable": []string{"traefik,servicelb"}}, Values{"disable": []string{"traefik"}}, "servicelb is disabled on the first and enabled"},
		{"another's key", RKE2, Values{"flannel-backend": "vxlan"}, Values{}, ""},
	} {
		t.Run(c.summary, func(t *testing.T) {
			err := CheckServers(c.product, c.first, c.further)
			if c.words == "" && err != nil || c.words != "" && (!ServersDiffer.Is(err) || !strings.Contains(err.Error(), c.words)) {
				t.Errorf("have %v, need %q", err, c.words)
			}
		})
	}
}

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Keys() {
		if seen[k.Name] || !keyForm(k.Name) || k.Source == "" {
			t.Errorf("%s: twice, or not a key, or from nowhere", k.Name)
		}
		seen[k.Name] = true
		if (k.Adds || k.Args || k.Whole) && k.Kind != List {
			t.Errorf("%s is no list", k.Name)
		}
		for p, roles := range k.roles {
			if roles != "-" && strings.Trim(roles, "SAsa") != "" {
				t.Errorf("%s: roles %q of %s", k.Name, roles, p)
			}
		}
	}
	if len(seen) < 120 {
		t.Errorf("have %d keys: the table is cut", len(seen))
	}
	for _, line := range []string{"a bool S", "a what S S", "a bool S S word"} {
		if _, err := parseKeys("[x]\n" + line); err == nil {
			t.Errorf("the line %q is taken", line)
		}
	}
	if _, err := parseKeys("a bool S S"); err == nil {
		t.Error("a key without a source is taken")
	}
}
