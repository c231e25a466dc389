package config_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/profiles/rancher/config"
)

func rke2First(version string) *config.Builder {
	return config.New(config.Target{Product: config.RKE2, Role: config.First, Version: version}).
		String("profile", "cis").
		String("node-name", "cp-1").
		List("node-ip", "10.20.0.11").
		List("tls-san", "10.20.0.10", "api.site.example").
		String("token-file", "/etc/rancher/rke2/token").
		List("cni", "canal").
		List("ingress-controller", "traefik").
		String("resolv-conf", "/etc/rancher/rke2/resolv.conf").
		Bool("disable-default-registry-endpoint", true).
		String("write-kubeconfig-mode", "0600").
		String("audit-policy-file", "/etc/rancher/rke2/audit-policy.yaml").
		List("kube-apiserver-arg", "service-account-extend-token-expiration=false").
		List("kubelet-arg", "streaming-connection-idle-timeout=5m").
		Int("etcd-snapshot-retention", 10)
}

func TestFile(t *testing.T) {
	for name, b := range map[string]*config.Builder{
		"rke2-first": rke2First("v1.31.14+rke2r1").Extra(config.Extra{
			Server: map[string]any{"kubelet-arg": []any{"max-pods=50"}, "node-label": "zone=yes", "brand-new": []any{"on", "0600"}, "node-ip": []any{"10.20.0.11"}},
			Agent:  map[string]any{"node-label": "not=here"}, Unchecked: []string{"brand-new"}}),
		"k3s-agent": config.New(config.Target{Product: config.K3s, Role: config.Agent, Version: "v1.36.2+k3s1"}).
			String("server", "https://10.30.0.10:6443").String("token", "K10aa::server:1e3").String("node-name", "12").List("kubelet-arg").String("log", "").
			Bool("protect-kernel-defaults", true),
		"k3s-first": config.New(config.Target{Product: config.K3s, Role: config.First, Version: "v1.36.2+k3s1"}).
			Bool("cluster-init", true).Bool("secrets-encryption", true).Duration("etcd-s3-timeout", 90*time.Second).List("disable", "traefik").List("disable", "servicelb"),
	} {
		t.Run(name, func(t *testing.T) {
			data, err := b.File()
			if err != nil {
				t.Fatal(err)
			}
			golden.Equal(t, name+".golden", data)
		})
	}
}

func TestExtra(t *testing.T) {
	for _, c := range []struct {
		summary string
		extra   config.Extra
		code    interface{ Is(error) bool }
		words   string
	}{
		{"contradicts", config.Extra{Server: map[string]any{"profile": "etcd"}}, config.KeyConflict, "have etcd, need cis, which the profile sets"},
		{"opens the door", config.Extra{Server: map[string]any{"disable-default-registry-endpoint": false}}, config.KeyConflict, "have false, need true"},
		{"an argument of the profile's", config.Extra{Server: map[string]any{"kubelet-arg": []any{"streaming-connection-idle-timeout=0"}}}, config.KeyConflict, "need streaming-connection-idle-timeout=5m"},
		{"adds to an argument of the profile's", config.Extra{Server: map[string]any{"kubelet-arg": []any{"--streaming-connection-idle-timeout+=0"}}}, config.KeyConflict, "have --streaming-connection-idle-timeout+=0"},
		{"a list that is the profile's", config.Extra{Server: map[string]any{"cni": []any{"canal", "multus"}}}, config.KeyConflict, "have canal multus, need canal"},
		{"unchecked does not unlock", config.Extra{Server: map[string]any{"profile": "none"}, Unchecked: []string{"profile"}}, config.KeyConflict, "have none, need cis"},
		{"unchecked does not allow what never is", config.Extra{Server: map[string]any{"prime": true}, Unchecked: []string{"prime"}}, config.KeyNever, `cannot leave "prime" unchecked`},
		{"unchecked for nothing", config.Extra{Unchecked: []string{"gone"}}, config.KeyUnchecked, "have no such key"},
		{"a slip", config.Extra{Server: map[string]any{"tls-sans": "x"}}, config.KeyUnknown, "did you mean tls-san?"},
	} {
		t.Run(c.summary, func(t *testing.T) {
			_, err := rke2First("v1.36.3+rke2r1").Extra(c.extra).File()
			if !c.code.Is(err) || !strings.Contains(err.Error(), c.words) {
				t.Errorf("have %v, need %v with %q", err, c.code, c.words)
			}
		})
	}
	agent := config.New(config.Target{Product: config.RKE2, Role: config.Agent, Version: "v1.36.3+rke2r1"}).List("node-taint", "a=b:NoSchedule").List("node-label", "x=1")
	v, err := agent.Extra(config.Extra{Agent: map[string]any{"node-taint": []any{"a=b:NoExecute", "a=b:NoSchedule"}, "node-label": "y=2"}}).Values()
	if err != nil || !slices.Equal(v["node-taint"].([]string), []string{"a=b:NoSchedule", "a=b:NoExecute"}) || !slices.Equal(v["node-label"].([]string), []string{"x=1", "y=2"}) {
		t.Errorf("have %v, %v", v, err)
	}
	if _, err := agent.Extra(config.Extra{Agent: map[string]any{"node-label": "x=3"}}).Values(); !config.KeyConflict.Is(err) {
		t.Errorf("have %v, need RANCHER-KEY-CONFLICT", err)
	}
}

func TestRead(t *testing.T) {
	dir := fstest.MapFS{
		"config.yaml":                 {Data: []byte("node-label: [a=1]\nselinux: false\ntoken: first\ntoken: second\nv: 3\nwrite-kubeconfig-mode: 0600\ntls-san+: x\n")},
		"config.yaml.d/20-b.yml":      {Data: []byte("node-label+: [c=3]\nselinux: yes\nnode-ip:\n")},
		"config.yaml.d/10-a.YAML":     {Data: []byte("node-label+: b=2\n--node-name: n\ntls-san+: [y, [z, w]]\n")},
		"config.yaml.d/30-c.yaml.bak": {Data: []byte("debug: true\n")},
		"config.yaml.d/40.yaml/x":     {Data: []byte("debug: true\n"), Mode: 0o644},
		"config.yaml.d/50-d.yaml":     {Data: []byte("tls-san: only\n")},
	}
	c, err := config.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"--node-label=a=1", "--node-label=b=2", "--node-label=c=3", "--selinux=true", "--token=second", "-v=3", "--write-kubeconfig-mode=384",
		"--tls-san=only", "----node-name=false", "--node-ip="} // n is false to YAML 1.1
	if !slices.Equal(c.Args, want) {
		t.Errorf("have %q\nneed %q", c.Args, want)
	}
	// What the reader would pass over or misread in such files is found.
	err = config.Check(config.Target{Product: config.RKE2, Role: config.First, Version: "v1.36.3+rke2r1"}, c.Values)
	for _, words := range []string{`"--node-name"`, "have int 384", "cannot use node-ip"} {
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("have %v, need %q in it", err, words)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for name, dir := range map[string]fs.FS{
		"a list":       fstest.MapFS{"config.yaml": {Data: []byte("- a\n")}},
		"a broken one": fstest.MapFS{"config.yaml.d/a.yaml": {Data: []byte("a: [\n")}},
		"too large":    fstest.MapFS{"config.yaml": {Data: make([]byte, 1<<20+1)}},
		"a file":       fstest.MapFS{"config.yaml.d": {Data: []byte("a: b")}},
	} {
		if _, err := config.Read(dir); !config.Unreadable.Is(err) {
			t.Errorf("%s: have %v, need RANCHER-CONFIG-UNREADABLE", name, err)
		}
	}
	if c, err := config.Read(fstest.MapFS{}); err != nil || len(c.Args) > 0 {
		t.Errorf("no file at all: have %v, %v", c, err)
	}
}

func TestPlace(t *testing.T) {
	if p := config.K3s.Path(); p != "/etc/rancher/k3s/config.yaml" || config.Mode != 0o600 {
		t.Errorf("have %s %o", p, config.Mode)
	}
}
