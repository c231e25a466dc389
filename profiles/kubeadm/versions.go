package kubeadm

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"caisson.dev/caisson/spec"
)

// repository is where kubeadm and the kubelet expect their images.
const repository = "registry.k8s.io"

// release is what goes together with one minor version of Kubernetes.
type release struct {
	etcd    string // image tag that kubeadm wants; the part before "-" is the module's version
	coredns string // module version and image tag
	pause   string // image tag
	cni     string // module version of the CNI plugins
}

// releases is keyed by the minor version. etcd, coredns and pause are what
// kubeadm of that line's newest patch release asks for
// (cmd/kubeadm/app/constants in k8s.io/kubernetes). The rendered kubeadm
// configuration names etcd's and CoreDNS's tags, so an earlier patch release,
// whose own defaults are older, uses the carried images all the same.
var releases = map[int]release{
	31: {etcd: "3.5.24-0", coredns: "v1.11.3", pause: "3.10", cni: "v1.9.1"},
	32: {etcd: "3.5.24-0", coredns: "v1.11.3", pause: "3.10", cni: "v1.9.1"},
	33: {etcd: "3.5.24-0", coredns: "v1.12.0", pause: "3.10", cni: "v1.9.1"},
	34: {etcd: "3.6.5-0", coredns: "v1.12.1", pause: "3.10.1", cni: "v1.9.1"},
	35: {etcd: "3.6.6-0", coredns: "v1.13.1", pause: "3.10.1", cni: "v1.9.1"},
	36: {etcd: "3.6.8-0", coredns: "v1.14.2", pause: "3.10.2", cni: "v1.9.1"},
	37: {etcd: "3.7.0-0", coredns: "v1.14.6", pause: "3.10.2", cni: "v1.9.1"},
}

// The oldest and newest minor versions in the table.
const oldestMinor, newestMinor = 31, 37

// versions is a Spec's Kubernetes version with all that goes with it.
type versions struct {
	release
	kubernetes string // v1.37.2
	minor      int    // 37
	patch      string // 2, or 0-rc.1
}

var versionForm = regexp.MustCompile(`^v1\.(0|[1-9][0-9]{0,3})\.((?:0|[1-9][0-9]{0,3})(?:-(?:alpha|beta|rc)\.[0-9]{1,3})?)$`)

// versionsOf looks the Spec's version up; it is refused with
// KUBERNETES-VERSION or KUBERNETES-SOURCE.
func versionsOf(e spec.Enclave) (versions, error) {
	if s := e.Kubernetes.Source; s != "" && s != spec.SourceModules {
		return versions{}, KubernetesSource.New("cannot use kubernetes.source: have %q, need %q", s, spec.SourceModules).
			Hint("or leave it out")
	}
	m := versionForm.FindStringSubmatch(e.Kubernetes.Version)
	if m == nil {
		return versions{}, KubernetesVersion.New("cannot use kubernetes.version: have %q, need a release such as v1.%d.0", e.Kubernetes.Version, newestMinor)
	}
	minor, _ := strconv.Atoi(m[1]) // the form allows digits only
	r, ok := releases[minor]
	if !ok {
		return versions{}, KubernetesVersion.New("cannot use kubernetes.version: have %s, need a release of 1.%d to 1.%d", e.Kubernetes.Version, oldestMinor, newestMinor).
			Hint("a newer Kubernetes needs a newer Caisson, which knows the etcd, CoreDNS and pause that go with it")
	}
	return versions{release: r, kubernetes: e.Kubernetes.Version, minor: minor, patch: m[2]}, nil
}

// staging is the version of the modules that k8s.io/kubernetes replaces by
// folders of its own tree: v1.37.2 is published with v0.37.2 of each.
func (v versions) staging() string { return fmt.Sprintf("v0.%d.%s", v.minor, v.patch) }

// etcdModule is the version of etcd's modules: the tag without its image
// revision.
func (v versions) etcdModule() string {
	version, _, _ := strings.Cut(v.etcd, "-")
	return "v" + version
}

// The references kubeadm and the kubelet use, digit for digit.
func (v versions) component(name string) string {
	return repository + "/" + name + ":" + v.kubernetes
}
func (v versions) etcdImage() string    { return repository + "/etcd:" + v.etcd }
func (v versions) corednsImage() string { return repository + "/coredns/coredns:" + v.coredns }
func (v versions) pauseImage() string   { return repository + "/pause:" + v.pause }
