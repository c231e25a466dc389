package registries_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/profiles/rancher/config"
	"caisson.dev/caisson/profiles/rancher/registries"
)

var own = registries.Mirror{Mirror: images.Mirror{Base: "http://127.0.0.1:5000"}}

func site() registries.Config {
	return registries.Config{
		Mirrors: []registries.Mirror{own, {
			Mirror: images.Mirror{Base: "https://cp-2.site.example:5443", CA: "/etc/rancher/site-ca.pem"},
			Auth:   &registries.Auth{Username: "node", Password: "yes: 0600"},
		}},
		Hosts: []string{"docker.io", "reg.local:5000", "registry.k8s.io"},
	}
}

func tree(t registries.Tree) []byte {
	var b strings.Builder
	for _, dir := range slices.Sorted(maps.Keys(t)) {
		b.WriteString("== " + dir + "/hosts.toml\n" + string(t[dir]))
	}
	return []byte(b.String())
}

func TestGolden(t *testing.T) {
	for name, c := range map[string]registries.Config{"own": {Mirrors: []registries.Mirror{own}}, "site": site()} {
		data, err := c.YAML()
		if err != nil {
			t.Fatal(err)
		}
		golden.Equal(t, name+"-registries.yaml", data)
		f, err := registries.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		golden.Equal(t, name+"-certs.golden", tree(registries.TreeOf(config.RKE2, f, true)))
	}
}

func TestContainerd(t *testing.T) {
	c := site()
	if _, err := c.Containerd(); !registries.Invalid.Is(err) {
		t.Errorf("a password for hosts.toml: have %v, need REGISTRIES-INVALID", err)
	}
	c.Mirrors[1].Auth = nil
	files, err := c.Containerd()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Leaks(treeOf(files), registries.Upstream); err != nil {
		t.Error(err)
	}
}

func treeOf(files []images.ServiceFile) registries.Tree {
	t := registries.Tree{}
	for _, f := range files {
		dir, _ := strings.CutSuffix(strings.TrimPrefix(f.Path, images.CertsDir+"/"), "/hosts.toml")
		t[dir] = f.Data
	}
	return t
}

func TestCheck(t *testing.T) {
	mirror := func(base, ca string, auth *registries.Auth) registries.Config {
		return registries.Config{Mirrors: []registries.Mirror{{Mirror: images.Mirror{Base: base, CA: ca}, Auth: auth}}}
	}
	for _, c := range []struct {
		summary string
		config  registries.Config
		words   []string
	}{
		{"nothing", registries.Config{}, []string{"have no registry"}},
		{"no port", mirror("https://reg.site.example", "", nil), []string{"host in small letters and port"}},
		{"no scheme", mirror("reg.site.example:5000", "", nil), []string{"need http:// or https://"}},
		{"a path", mirror("https://reg.site.example:5000/v2", "", nil), []string{"host in small letters and port"}},
		{"an account in the address", mirror("https://a:b@reg.site.example:5000", "", nil), nil},
		{"capitals", mirror("https://Reg.site.example:5000", "", nil), []string{"small letters"}},
		{"outside", mirror("https://registry-1.docker.io:443", "", nil), []string{"which is outside"}},
		{"a CA for http", mirror("http://reg.site.example:5000", "/ca", nil), []string{"need https for both"}},
		{"a relative CA", mirror("https://reg.site.example:5000", "ca.pem", nil), []string{"an absolute path"}},
		{"half an account", mirror("https://reg.site.example:5000", "", &registries.Auth{Username: "a"}), []string{"need both"}},
		{"twice, and two hosts that are none", registries.Config{Mirrors: []registries.Mirror{own, own}, Hosts: []string{"x/y", "*", "ok.example"}}, []string{"5000 twice", "host x/y", "host *"}},
	} {
		t.Run(c.summary, func(t *testing.T) {
			_, err := c.config.YAML()
			all := fault.All(err)
			if len(all) != max(1, len(c.words)) || !registries.Invalid.Is(err) {
				t.Fatalf("have %v, need %d of REGISTRIES-INVALID", err, max(1, len(c.words)))
			}
			for i, w := range c.words {
				if !strings.Contains(all[i].Error(), w) {
					t.Errorf("have %v, need %q", all[i], w)
				}
			}
		})
	}
}

func TestParseRefusesWhatIsPassedOver(t *testing.T) {
	for _, text := range []string{
		"mirrors:\n  \"*\":\n    'endpoint\"': [a]\n", "configs:\n  a:\n    auth: {token: x}\n", "auths: {}\n", "mirror: {}\n", "mirrors: {a: {}, a: {}}\n", "mirrors: {*: {}}\n",
	} {
		if _, err := registries.Parse([]byte(text)); !registries.Invalid.Is(err) {
			t.Errorf("%q: have %v, need REGISTRIES-INVALID", text, err)
		}
	}
}

// TestGenerate has the traps of getHostConfigs, one a line.
func TestGenerate(t *testing.T) {
	tls := registries.Settings{TLS: &registries.TLSEntry{CAFile: "/ca", CertFile: "/c", KeyFile: "/k", InsecureSkipVerify: true}}
	in := func(e ...string) registries.MirrorEntry { return registries.MirrorEntry{Endpoint: e} }
	for _, c := range []struct {
		summary   string
		file      registries.File
		noDefault bool
		dir       string
		server    string // "-": no server line; "gone": no file
		hosts     []string
	}{
		{"a mirror", registries.File{Mirrors: map[string]registries.MirrorEntry{"docker.io": in("zot.site:5000")}}, true, "docker.io", "-", []string{"https://zot.site:5000/v2"}},
		{"with the default", registries.File{Mirrors: map[string]registries.MirrorEntry{"docker.io": in("zot.site:5000")}}, false, "docker.io", "https://registry-1.docker.io/v2", []string{"https://zot.site:5000/v2"}},
		{"settings keep the default", registries.File{Mirrors: map[string]registries.MirrorEntry{"docker.io": in("zot.site:5000")}, Configs: map[string]registries.Settings{"docker.io": tls}}, true,
			"docker.io", "https://registry-1.docker.io/v2", []string{"https://zot.site:5000/v2"}},
		{"no endpoint, no file", registries.File{Mirrors: map[string]registries.MirrorEntry{"docker.io": {}}}, true, "docker.io", "gone", nil},
		{"no endpoint, no settings, no file", registries.File{Configs: map[string]registries.Settings{"quay.io": {}}}, false, "quay.io", "gone", nil},
		{"any host", registries.File{Mirrors: map[string]registries.MirrorEntry{"*": in("zot.site:5000/v2/")}}, true, "_default", "-", []string{"https://zot.site:5000/v2/"}},
		{"any host with the default", registries.File{Mirrors: map[string]registries.MirrorEntry{"*": in("zot.site:5000")}}, false, "_default", "", []string{"https://zot.site:5000/v2"}},
		{"settings of * do not keep it", registries.File{Mirrors: map[string]registries.MirrorEntry{"*": in("zot.site:5000")}, Configs: map[string]registries.Settings{"*": tls}}, true, "_default", "-", []string{"https://zot.site:5000/v2"}},
		{"loopback is plain", registries.File{Mirrors: map[string]registries.MirrorEntry{"a.b": in("localhost:5000", "127.0.0.1:443", "127.0.0.1:5001/x", "localhost:5000")}}, true,
			"a.b", "-", []string{"http://localhost:5000/v2", "https://127.0.0.1:443/v2", "http://127.0.0.1:5001/x"}},
		{"plain registry with settings", registries.File{Mirrors: map[string]registries.MirrorEntry{"zot.site:5000": in("http://zot.site:5000")}, Configs: map[string]registries.Settings{"zot.site:5000": tls}}, true,
			"zot.site:5000", "https://zot.site:5000/v2", []string{"http://zot.site:5000/v2"}},
		{"the last is the default", registries.File{Mirrors: map[string]registries.MirrorEntry{"docker.io": in("zot.site:5000", "https://registry-1.docker.io")}}, false,
			"docker.io", "https://registry-1.docker.io/v2", []string{"https://zot.site:5000/v2"}},
	} {
		t.Run(c.summary, func(t *testing.T) {
			hf, there := registries.Generate(config.K3s, c.file, c.noDefault)[c.dir]
			if c.server == "gone" {
				if there {
					t.Errorf("have %+v, need no file", hf)
				}
				return
			}
			server := "-"
			if hf.Server != nil {
				server = hf.Server.URL
			}
			var hosts []string
			for _, e := range hf.Hosts {
				hosts = append(hosts, e.URL)
			}
			if server != c.server || !slices.Equal(hosts, c.hosts) {
				t.Errorf("have server %q and %q, need %q and %q", server, hosts, c.server, c.hosts)
			}
		})
	}
	f := registries.File{Mirrors: map[string]registries.MirrorEntry{"a.b": {Endpoint: []string{"https://zot.site:5000/x"}, Rewrite: map[string]string{"^(.*)$": "p/$1"}}}, Configs: map[string]registries.Settings{"zot.site:5000": tls}}
	golden.Equal(t, "settings-certs.golden", tree(registries.TreeOf(config.K3s, f, true)))
}

func TestReadTree(t *testing.T) {
	dir := fstest.MapFS{"_default/hosts.toml": {Data: []byte("[host.\"http://127.0.0.1:5000/v2\"]\n")}, "docker.io/ca.crt": {}, "file": {}}
	have, err := registries.ReadTree(dir)
	if err != nil || len(have) != 2 || have["docker.io"] != nil {
		t.Fatalf("have %v, %v", have, err)
	}
	// An empty folder of a host brings the public default back in spite of _default.
	err = registries.Config{Mirrors: []registries.Mirror{own}}.Leaks(have, registries.Rancher)
	if !registries.Leak.Is(err) || len(fault.All(err)) != 1 || !strings.Contains(err.Error(), "images of docker.io inside: have the endpoint https://registry-1.docker.io/v2") {
		t.Errorf("have %v, need one REGISTRIES-LEAK for docker.io", err)
	}
	if have, err := registries.ReadTree(fstest.MapFS{}); err != nil || len(have) != 0 {
		t.Errorf("have %v, %v", have, err)
	}
	if _, err := registries.ReadTree(fstest.MapFS{"a/hosts.toml/x": {}}); !registries.Leak.Is(err) {
		t.Errorf("have %v, need REGISTRIES-LEAK", err)
	}
}

func TestPlace(t *testing.T) {
	if registries.Path(config.K3s) != "/etc/rancher/k3s/registries.yaml" || registries.Mode != 0o600 || registries.CertsDir(config.RKE2) != "/var/lib/rancher/rke2/agent/etc/containerd/certs.d" {
		t.Error("a path is wrong")
	}
}
