package images

import (
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

// ContainerdHosts is containerd's registry configuration: one hosts.toml for
// each upstream host, and _default for every other. Each sends pulls to the
// node's own registry and nowhere else.
//
// Both places where containerd (1.7 and 2.x, docs/hosts.md) finds an endpoint
// are set in each file. "server" is where it falls back to; left out, it means
// the upstream registry. The [host] table must be there as well: without one,
// containerd 1.7 fails to read the file, logs that and falls back to the
// upstream registry too.
func ContainerdHosts(svc Service, hosts []string) []ServiceFile {
	dirs := map[string]string{"_default": notCarried}
	for _, h := range hosts {
		dirs[h] = MirrorPath(h)
	}
	files := make([]ServiceFile, 0, len(dirs))
	for dir, path := range dirs {
		files = append(files, ServiceFile{
			Path: CertsDir + "/" + dir + "/hosts.toml",
			Mode: 0o644,
			Data: hostsTOML("http://" + svc.Address + "/v2/" + path),
		})
	}
	sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
	return files
}

// hostsTOML is one hosts.toml. The URL holds only characters that TOML's basic
// strings take as they are (see ParseRef).
func hostsTOML(url string) []byte {
	return []byte(strings.ReplaceAll(`# The node's own registry. No image comes from anywhere else.
server = "URL"
capabilities = ["pull", "resolve"]
override_path = true

[host."URL"]
capabilities = ["pull", "resolve"]
override_path = true
`, "URL", url))
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
