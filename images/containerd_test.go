package images_test

import (
	"net/url"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/internal/golden"
)

func hostsTree(files []images.ServiceFile) string {
	var b strings.Builder
	for _, f := range files {
		b.WriteString("== " + f.Path + "\n" + string(f.Data))
	}
	return b.String()
}

func TestContainerdHosts(t *testing.T) {
	svc := images.Service{Address: "127.0.0.1:5000"}
	files := images.ContainerdHosts([]images.Mirror{svc.Mirror()}, []string{"registry.k8s.io", "docker.io", "reg.local:5000", "Reg.Example"})
	golden.Equal(t, "hosts.golden", []byte(hostsTree(files)))
}

// A worker asks the servers' registries after its own.
func TestContainerdHostsOfSeveralMirrors(t *testing.T) {
	files := images.ContainerdHosts([]images.Mirror{{Base: "http://127.0.0.1:5000"}, {Base: "https://cp-2.site.example:5443", CA: "/etc/caisson/ca.pem"}}, []string{"docker.io"})
	golden.Equal(t, "hosts-mirrors.golden", []byte(hostsTree(files)))
}

// FuzzHostsFile: what a TOML library reads is what was to be written.
func FuzzHostsFile(f *testing.F) {
	f.Add("https://a:5000/v2", "/ca \"x\".pem", `^library/(.*)$`, `a\$1`, "c\x7f\n")
	f.Fuzz(func(t *testing.T, u, ca, from, to, server string) {
		for _, s := range []string{u, ca, from, to, server} {
			if !utf8.ValidString(s) {
				return
			}
		}
		hf := images.HostsFile{Comment: "c", Server: &images.Endpoint{URL: server, SkipVerify: true}, Hosts: []images.Endpoint{{
			URL: u, CA: ca, Client: [2]string{ca, to}, Capabilities: []string{"pull", ca}, Rewrite: map[string]string{from: to}}}}
		type endpoint struct {
			Capabilities []string
			CA           []string
			Client       [][]string
			Rewrite      map[string]string
		}
		var have struct {
			Server     *string
			SkipVerify bool `toml:"skip_verify"`
			Host       map[string]endpoint
		}
		if err := toml.Unmarshal(hf.TOML(), &have); err != nil {
			t.Fatalf("%v in\n%s", err, hf.TOML())
		}
		e := have.Host[u]
		if have.Server == nil || *have.Server != server || !have.SkipVerify || len(have.Host) != 1 || e.Rewrite[from] != to || e.Capabilities[1] != ca {
			t.Fatalf("have %+v out of\n%s", have, hf.TOML())
		}
		if ca != "" && e.CA[0] != ca || (ca != "" || to != "") && e.Client[0][1] != to {
			t.Fatalf("have %+v out of\n%s", have, hf.TOML())
		}
	})
}

// endpoints is every URL that containerd tries for an image of host, by its
// rules: the folder host_port_, then host, then _default; each [host] table in
// order, then "server", then the upstream registry itself if server is empty.
func endpoints(t *testing.T, files []images.ServiceFile, host string) []string {
	t.Helper()
	var dirs []string
	if i := strings.LastIndex(host, ":"); i > 0 {
		dirs = append(dirs, host[:i]+"_"+host[i+1:]+"_")
	}
	dirs = append(dirs, host, "_default")
	for _, dir := range dirs {
		for _, f := range files {
			if f.Path != path.Join(images.CertsDir, dir, "hosts.toml") {
				continue
			}
			var c struct {
				Server       string
				OverridePath bool `toml:"override_path"`
				Host         map[string]struct {
					OverridePath bool `toml:"override_path"`
				}
			}
			if err := toml.Unmarshal(f.Data, &c); err != nil {
				t.Fatalf("%s: %v", f.Path, err)
			}
			if len(c.Host) == 0 {
				t.Fatalf("%s: no [host] table; containerd 1.7 does not read such a file", f.Path)
			}
			if !c.OverridePath {
				t.Errorf("%s: server without override_path", f.Path)
			}
			out := []string{}
			for u, h := range c.Host {
				if !h.OverridePath {
					t.Errorf("%s: %s without override_path", f.Path, u)
				}
				out = append(out, u)
			}
			if c.Server == "" {
				return append(out, "https://"+host+"/v2")
			}
			return append(out, c.Server)
		}
	}
	return []string{"https://" + host + "/v2"}
}

// FuzzNoEndpointLeavesTheNode: whatever image a pod names, and whichever images
// are carried, containerd has nowhere to go but the node's registry; and for a
// carried image, that is where Repository says it lies.
func FuzzNoEndpointLeavesTheNode(f *testing.F) {
	for _, s := range [][2]string{
		{"busybox", "registry.k8s.io/pause:3.10"}, {"reg.local:5000/x:1", "reg.local:5000/x:1"},
		{"localhost/x", "quay.io/a/b"}, {"localhost:5000/x", "localhost/x"}, {"A.b:443/c", "a.b/c"}, {"10.0.0.1:80/x", "docker.io/x"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, pulled, carried string) {
		want, err := images.ParseRef(pulled)
		if err != nil {
			return
		}
		hosts, err := images.Hosts([]string{carried})
		if err != nil {
			return
		}
		svc := images.Service{Address: "127.0.0.1:5000"}
		for _, e := range endpoints(t, images.ContainerdHosts([]images.Mirror{svc.Mirror()}, hosts), want.Host) {
			u, err := url.Parse(e)
			if err != nil || u.Scheme != "http" || u.Host != svc.Address || u.User != nil {
				t.Fatalf("pull of %s with %s carried: would ask %s (%v)", pulled, carried, e, err)
			}
			if hosts[0] == want.Host && u.Path+"/"+want.Path != "/v2/"+want.Repository() {
				t.Fatalf("pull of %s asks %s, the registry holds it at /v2/%s", pulled, e, want.Repository())
			}
		}
	})
}
