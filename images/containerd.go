package images

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
)

// CertsDir is containerd's folder of registry hosts on the node: the value of
// config_path in its registry plugin.
const CertsDir = "/etc/containerd/certs.d"

// notCarried is where containerd asks for images of hosts that the bundle does
// not hold: a repository prefix that no host can have (no dot, no port), so
// that the registry answers "not found" at once.
const notCarried = "not-carried"

// Mirror is a registry of the enclave that holds the bundle's images: the
// node's own, or another node's.
type Mirror struct {
	Base string // http://127.0.0.1:5000
	CA   string // file on the node with the certificates that vouch for it; empty: the system's
}

// Mirror is the registry as its own node asks it.
func (s Service) Mirror() Mirror { return Mirror{Base: "http://" + s.Address} }

// Prefix is what stands before an image's own path in the enclave's registries.
// The empty host is any that the bundle does not hold.
func Prefix(host string) string {
	if host == "" {
		return notCarried
	}
	return MirrorPath(host)
}

// URL is where the mirror holds the images of an upstream host, or of none.
func (m Mirror) URL(host string) string { return m.Base + "/v2/" + Prefix(host) }

// ContainerdHosts is containerd's registry configuration: one hosts.toml for
// each upstream host, and _default for every other. Each sends pulls to the
// mirrors, in their order, and nowhere else.
//
// Both places where containerd (1.7 and 2.x, docs/hosts.md) finds an endpoint
// are set in each file. "server" is where it falls back to; left out, it means
// the upstream registry. The [host] table must be there as well: without one,
// containerd 1.7 fails to read the file, logs that and falls back to the
// upstream registry too.
func ContainerdHosts(mirrors []Mirror, hosts []string) []ServiceFile {
	dirs := map[string]string{"_default": ""}
	for _, h := range hosts {
		dirs[h] = h
	}
	files := make([]ServiceFile, 0, len(dirs))
	for dir, host := range dirs {
		hf := HostsFile{Comment: "The node's own registry. No image comes from anywhere else."}
		for _, m := range mirrors {
			hf.Hosts = append(hf.Hosts, Endpoint{URL: m.URL(host), Capabilities: []string{"pull", "resolve"}, OverridePath: true, CA: m.CA})
		}
		if len(hf.Hosts) > 0 {
			hf.Server = &hf.Hosts[0]
		}
		files = append(files, ServiceFile{Path: CertsDir + "/" + dir + "/hosts.toml", Mode: 0o644, Data: hf.TOML()})
	}
	sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
	return files
}

// HostsFile is one hosts.toml as a value.
type HostsFile struct {
	Comment string
	Server  *Endpoint // the last resort; nil: no such line
	Hosts   []Endpoint
}

// Endpoint is one registry of a hosts.toml.
type Endpoint struct {
	URL          string
	Capabilities []string
	OverridePath bool
	SkipVerify   bool
	CA           string
	Client       [2]string // certificate and key
	Rewrite      map[string]string
}

// TOML writes the file. The order of its [host] tables is the order in which
// containerd asks, which is why no TOML library writes it: those sort.
func (f HostsFile) TOML() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", f.Comment)
	if f.Server != nil {
		fmt.Fprintf(&b, "server = %s\n", tomlString(f.Server.URL))
		f.Server.write(&b)
	}
	for _, e := range f.Hosts {
		fmt.Fprintf(&b, "\n[host.%s]\n", tomlString(e.URL))
		e.write(&b)
		if len(e.Rewrite) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n[host.%s.rewrite]\n", tomlString(e.URL))
		for _, from := range slices.Sorted(maps.Keys(e.Rewrite)) {
			fmt.Fprintf(&b, "%s = %s\n", tomlString(from), tomlString(e.Rewrite[from]))
		}
	}
	return []byte(b.String())
}

func (e Endpoint) write(b *strings.Builder) {
	quoted := make([]string, len(e.Capabilities))
	for i, c := range e.Capabilities {
		quoted[i] = tomlString(c)
	}
	if len(quoted) > 0 {
		fmt.Fprintf(b, "capabilities = [%s]\n", strings.Join(quoted, ", "))
	}
	if e.OverridePath {
		b.WriteString("override_path = true\n")
	}
	if e.CA != "" {
		fmt.Fprintf(b, "ca = [%s]\n", tomlString(e.CA))
	}
	if e.Client != [2]string{} {
		fmt.Fprintf(b, "client = [[%s, %s]]\n", tomlString(e.Client[0]), tomlString(e.Client[1]))
	}
	if e.SkipVerify {
		b.WriteString("skip_verify = true\n")
	}
}

// tomlString is a TOML basic string: control characters, quotes and
// backslashes are escaped.
func tomlString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Hosts lists the upstream hosts of references, each once, sorted.
func Hosts(refs []string) ([]string, error) {
	seen := map[string]bool{}
	var hosts []string
	for _, ref := range refs {
		n, err := ParseRef(ref)
		if err != nil {
			return nil, err
		}
		if !seen[n.Host] {
			seen[n.Host] = true
			hosts = append(hosts, n.Host)
		}
	}
	sort.Strings(hosts)
	return hosts, nil
}
