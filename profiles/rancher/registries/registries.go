// Package registries maps every image name to the registries of the enclave.
// One value (Config) becomes registries.yaml for RKE2 and K3s, and hosts.toml
// for a containerd that reads it itself. What RKE2 and K3s make of
// registries.yaml (Generate), and which endpoints containerd would then try for
// an image (Tree.Endpoints), is here as well, so that "no pull leaves the
// enclave" is a property to be tested, at the desk and on the live node.
//
// It is pure and has no registry client. Package proof, for the low side, has
// RKE2's own library judge the same bytes. One path stays open to them: RKE2
// pulls its runtime image, where no archive on the node holds it, from docker.io
// in the end whatever registries.yaml says (rke2 pkg/bootstrap/bootstrap.go,
// wharfie pkg/registries, getEndpoints). Package archive closes it.
package registries

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v2"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/profiles/rancher/config"
)

// Config is a node's registries.
type Config struct {
	Mirrors []Mirror // asked in this order; the node's own comes first
	Hosts   []string // upstream hosts of the carried images, as images.Hosts finds them
}

// Mirror is one registry of the enclave.
type Mirror struct {
	images.Mirror
	Auth *Auth // nil: it asks for none
}

// Auth is a registry account. The file that holds it is 0600.
type Auth struct{ Username, Password string }

// Of is the registries of a node: its own, and the hosts that the carried images
// are named for.
func Of(own images.Mirror, refs []string) (Config, error) {
	hosts, err := images.Hosts(refs)
	return Config{Mirrors: []Mirror{{Mirror: own}}, Hosts: hosts}, err
}

// Path is registries.yaml on a node, and Mode its mode: it may hold a password.
func Path(p config.Product) string { return "/etc/rancher/" + string(p) + "/registries.yaml" }

// Mode is the mode of registries.yaml.
const Mode = 0o600

// CertsDir is where RKE2 and K3s write their containerd's hosts.toml.
func CertsDir(p config.Product) string {
	return "/var/lib/rancher/" + string(p) + "/agent/etc/containerd/certs.d"
}

// upstream are names that stand for registries outside any enclave.
var upstream = []string{
	"docker.io", "registry-1.docker.io", "index.docker.io", "registry.k8s.io", "k8s.gcr.io", "gcr.io", "quay.io", "ghcr.io",
	"registry.suse.com", "registry.rancher.com", "mcr.microsoft.com", "public.ecr.aws", "registry.gitlab.com", "registry.access.redhat.com",
}

// Check reports all that would open a way out, or be passed over.
func (c Config) Check() error {
	var faults []error
	bad := func(have, need string) {
		faults = append(faults, Invalid.New("cannot map images to the enclave's registries: have %s, need %s", have, need))
	}
	if len(c.Mirrors) == 0 {
		// Without an endpoint the entry is deleted, and the default comes back
		// (k3s pkg/agent/containerd/config.go, getHostConfigs).
		bad("no registry", "the node's own at least")
	}
	seen := map[string]bool{}
	for _, m := range c.Mirrors {
		u, err := url.Parse(m.Base)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Port() == "" || u.Hostname() == "" || m.Base != u.Scheme+"://"+strings.ToLower(u.Host) || strings.ContainsAny(u.Host, "[]\"\\") {
			bad("the address "+m.Base, "http:// or https://, host in small letters and port, as in https://registry.site.example:5000")
			continue
		}
		switch {
		case slices.Contains(upstream, u.Hostname()):
			bad("the address "+m.Base+", which is outside", "a registry of the enclave")
		case seen[u.Host]:
			bad("the address "+m.Base+" twice", "each once")
		case u.Scheme == "http" && (m.CA != "" || m.Auth != nil):
			// A config entry gives a plain registry an https endpoint besides
			// (k3s-io/k3s issue 13379), and the password would be readable.
			bad(m.Base+" with a CA or a password", "https for both")
		case m.CA != "" && !strings.HasPrefix(m.CA, "/"):
			bad("the CA file "+m.CA, "an absolute path on the node")
		case m.Auth != nil && (m.Auth.Username == "" || m.Auth.Password == ""):
			bad("an account of "+m.Base+" without a name or a password", "both")
		}
		seen[u.Host] = true
	}
	for _, h := range c.Hosts {
		if n, err := images.ParseRef(h + "/x"); err != nil || n.Host != h {
			bad("the upstream host "+h, "the host of an image reference")
		}
	}
	return errors.Join(faults...)
}

// File is registries.yaml, with all keys that RKE2 and K3s know (wharfie
// pkg/registries/types.go). They pass over any other: auth.token, which their
// documentation has, among them.
type File struct {
	Mirrors map[string]MirrorEntry `yaml:"mirrors,omitempty"`
	Configs map[string]Settings    `yaml:"configs,omitempty"`
}

// MirrorEntry is how images of one host, or of "*", are found.
type MirrorEntry struct {
	Endpoint []string          `yaml:"endpoint,omitempty"`
	Rewrite  map[string]string `yaml:"rewrite,omitempty"`
}

// Settings are for one registry, by host:port as in the endpoint, or for "*".
type Settings struct {
	Auth *AuthEntry `yaml:"auth,omitempty"`
	TLS  *TLSEntry  `yaml:"tls,omitempty"`
}

// AuthEntry is an account.
type AuthEntry struct {
	Username      string `yaml:"username,omitempty"`
	Password      string `yaml:"password,omitempty"`
	Auth          string `yaml:"auth,omitempty"`
	IdentityToken string `yaml:"identity_token,omitempty"`
}

// TLSEntry says how a registry is known.
type TLSEntry struct {
	CAFile             string `yaml:"ca_file,omitempty"`
	CertFile           string `yaml:"cert_file,omitempty"`
	KeyFile            string `yaml:"key_file,omitempty"`
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify,omitempty"`
}

// File is the content of registries.yaml: a mirror entry for each upstream host
// and for "*", and settings for nothing but our own registries, since an entry
// there keeps the default endpoint of its host (k3s
// pkg/agent/containerd/config.go, getHostConfigs).
//
// The prefix of a host's images is put before them by a rewrite, not by a path
// in the endpoint: wharfie asks for the endpoint's path alone first, to which
// registries answer 404, and goes on to the next (wharfie
// pkg/registries/endpoint.go, RoundTrip). For hosts.toml see Containerd.
func (c Config) File() (File, error) {
	if err := c.Check(); err != nil {
		return File{}, err
	}
	f := File{Mirrors: map[string]MirrorEntry{}, Configs: map[string]Settings{}}
	for _, host := range append([]string{"*"}, c.Hosts...) {
		e := MirrorEntry{Rewrite: map[string]string{"^(.*)$": images.Prefix(strings.TrimPrefix(host, "*")) + "/$1"}}
		for _, m := range c.Mirrors {
			e.Endpoint = append(e.Endpoint, m.Base)
		}
		f.Mirrors[host] = e
	}
	for _, m := range c.Mirrors {
		var s Settings
		if m.Auth != nil {
			s.Auth = &AuthEntry{Username: m.Auth.Username, Password: m.Auth.Password}
		}
		if m.CA != "" {
			s.TLS = &TLSEntry{CAFile: m.CA}
		}
		if s != (Settings{}) {
			_, host, _ := strings.Cut(m.Base, "://")
			f.Configs[host] = s
		}
	}
	return f, nil
}

// ConfigOf is the registries that a file names, as far as Leaks needs them.
func ConfigOf(f File) (Config, error) {
	var c Config
	seen := map[string]bool{}
	for _, host := range slices.Sorted(maps.Keys(f.Mirrors)) {
		if host != "*" {
			c.Hosts = append(c.Hosts, host)
		}
		for _, e := range f.Mirrors[host].Endpoint {
			u, err := url.Parse(e)
			if err != nil {
				return Config{}, Invalid.New("cannot read registries.yaml: %w", err)
			}
			if base := u.Scheme + "://" + u.Host; !seen[base] {
				seen[base] = true
				c.Mirrors = append(c.Mirrors, Mirror{Mirror: images.Mirror{Base: base}})
			}
		}
	}
	return c, c.Check()
}

// YAML is registries.yaml. It keeps pulls inside only together with
// disable-default-registry-endpoint in config.yaml.
func (c Config) YAML() ([]byte, error) {
	f, err := c.File()
	if err != nil {
		return nil, err
	}
	data, err := yaml.Marshal(f)
	if err != nil {
		return nil, Invalid.New("cannot write registries.yaml: %w", err)
	}
	return data, nil
}

// Parse reads a registries.yaml and refuses keys that would be passed over.
func Parse(data []byte) (File, error) {
	var f File
	if err := yaml.UnmarshalStrict(data, &f); err != nil {
		return File{}, Invalid.New("cannot read registries.yaml: %w", err).Hint("RKE2 and K3s pass over a key that they do not know; auth.token is one of those")
	}
	return f, nil
}

// Containerd is the registry configuration of a containerd that reads hosts.toml
// of its own, as on a kubeadm node. It has no place for passwords.
func (c Config) Containerd() ([]images.ServiceFile, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	var mirrors []images.Mirror
	for _, m := range c.Mirrors {
		if m.Auth != nil {
			return nil, Invalid.New("cannot write hosts.toml for %s: have a password, need a registry that asks for none: hosts.toml has no place for it", m.Base)
		}
		mirrors = append(mirrors, m.Mirror)
	}
	return images.ContainerdHosts(mirrors, c.Hosts), nil
}
