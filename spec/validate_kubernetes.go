package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/mod/semver"
)

// The profiles: the first two set up a distribution of Kubernetes from its vendor's
// release files, the third is upstream's.
const (
	ProfileRKE2    = "rke2-cis"
	ProfileK3s     = "k3s-edge"
	ProfileKubeadm = "kubeadm"
)

// oldestKubernetes is the first release with the kubeadm configuration
// v1beta4, the only form that the profiles write.
const oldestKubernetes = "v1.31.0"

func (p *problems) kubernetes(k Kubernetes) {
	switch {
	case k.Profile == "": // the version did not say it: Default
		p.bad("kubernetes.version", quoted(k.Version), "a release of the form vX.Y.Z+rke2rN, vX.Y.Z+k3sN or vX.Y.Z", "")
	case !slices.Contains(profilesKnown, k.Profile):
		hint := ""
		if near := Nearest(k.Profile, profilesKnown); near != "" {
			hint = "did you mean " + near + "?"
		}
		p.bad("kubernetes.profile", quoted(k.Profile), strings.Join(profilesKnown, " or "), hint)
		fallthrough
	default:
		p.kubernetesVersion(k)
	}
	p.oneOf("kubernetes.source", k.Source, SourceModules)
	p.exceptions(k.Exceptions)
	if k.Profile != ProfileRKE2 && k.Profile != ProfileK3s {
		const hint = "it is for the profiles " + ProfileRKE2 + " and " + ProfileK3s
		for _, f := range []struct {
			name  string
			given bool
		}{{"release", k.Release != nil}, {"cni", len(k.CNI) > 0}, {"ingress", len(k.Ingress) > 0}, {"extra", k.Extra != nil}, {"datastore", k.Datastore != ""}} {
			if f.given && slices.Contains(profilesKnown, k.Profile) {
				p.clash(child("kubernetes", f.name), "a value", "none with the profile "+k.Profile, hint)
			}
		}
		return
	}
	if k.Source != "" {
		p.clash("kubernetes.source", "a value", "none with the profile "+k.Profile, "its programs are the vendor's: kubernetes.release says where they come from")
	}
	p.release(k.Release)
	if k.Profile == ProfileRKE2 && k.Datastore != "" {
		p.clash("kubernetes.datastore", "a value", "none with the profile "+k.Profile, "RKE2's is always etcd")
	} else if k.Profile == ProfileK3s {
		p.oneOf("kubernetes.datastore", k.Datastore, DatastoreEtcd, DatastoreSQLite)
	}
	if k.Profile == ProfileK3s && len(k.CNI) > 0 {
		p.clash("kubernetes.cni", "a value", "none with the profile "+k.Profile, "K3s has its network built in")
	} else if have, need := CNIProblem(k.CNI); k.Profile == ProfileRKE2 && have != "" {
		p.bad("kubernetes.cni", have, need, "")
	}
	if have, need := IngressProblem(k.Profile, k.Ingress); have != "" {
		p.bad("kubernetes.ingress", have, need, "")
	}
}

// longestReason is how much a person reads beside one line of a table.
const longestReason = 300

// exceptions checks their form; whether the profile's table has such a line is
// known where the profiles are (internal/assemble).
func (p *problems) exceptions(list []Exception) {
	for i, x := range list {
		at := item("kubernetes.exceptions", i)
		if x.ID == "" {
			p.add(p.missing, child(at, "id"), "none", "the id of a line of the CIS table", "caisson-node check cis shows the ids")
		} else if slices.ContainsFunc(list[:i], func(o Exception) bool { return o.ID == x.ID }) {
			p.clash(child(at, "id"), quoted(x.ID)+" a second time", "each id once", "")
		}
		switch n := len([]rune(x.Reason)); {
		case strings.TrimSpace(x.Reason) == "":
			p.add(p.missing, child(at, "reason"), "none", "why this line is not held", "who reads the results asks for it")
		case n > longestReason:
			p.bad(child(at, "reason"), fmt.Sprintf("%d characters", n), fmt.Sprintf("at most %d", longestReason), "")
		case strings.ContainsFunc(x.Reason, unicode.IsControl):
			p.bad(child(at, "reason"), quoted(x.Reason), "one line of text", "")
		}
	}
}

// vendorForm is a release of RKE2 or K3s: that of Kubernetes, and the vendor's
// own number behind it. Candidates (-rc1) are none.
var vendorForm = map[string]struct {
	form *regexp.Regexp
	need string
}{
	ProfileRKE2: {regexp.MustCompile(`^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\+rke2r[1-9][0-9]*$`), "vX.Y.Z+rke2rN"},
	ProfileK3s:  {regexp.MustCompile(`^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\+k3s[1-9][0-9]*$`), "vX.Y.Z+k3sN"},
}

func (p *problems) kubernetesVersion(k Kubernetes) {
	form, need := releaseForm, "vX.Y.Z"
	if v, ok := vendorForm[k.Profile]; ok {
		form, need = v.form, v.need
	}
	switch {
	case !form.MatchString(k.Version):
		hint := "a full release: Caisson chooses no patch level for you"
		if form.MatchString("v" + k.Version) {
			hint = "did you mean v" + k.Version + "?"
		}
		p.bad("kubernetes.version", quoted(k.Version), "a release of the form "+need, hint)
	case semver.Compare(k.Version, oldestKubernetes) < 0 || semver.Major(k.Version) != "v1":
		p.add(p.unsupported, "kubernetes.version", k.Version, oldestKubernetes+" or a later v1 release", "")
	}
}

// release demands https: the checksum file comes from the same place, so that
// nothing else would tell a file that was changed on the way.
func (p *problems) release(r *Release) {
	const at = "kubernetes.release"
	switch {
	case r == nil:
	case r.URL == "" && r.Path == "":
		p.add(p.missing, at, "neither url nor path", "one of them", "or leave "+at+" out: then the files come from the vendor")
	case r.URL != "" && r.Path != "":
		p.clash(at, "both url and path", "one of them", "")
	case strings.HasPrefix(r.URL, "http://"):
		p.bad(child(at, "url"), quoted(r.URL), "a URL that begins with https://", "or fetch the files another way and name their folder as path")
	case r.URL != "":
		p.archive(child(at, "url"), r.URL)
	}
}

// None is the entry that stands alone in kubernetes.cni or kubernetes.ingress
// and says that the author brings his own, or wants none.
const None = "none"

// Multus lets a pod have further networks, beside the one of another CNI.
const Multus = "multus"

var (
	cnis      = []string{"canal", "calico", "cilium", "flannel"}
	ingresses = map[string][]string{ProfileRKE2: {"traefik", "ingress-nginx"}, ProfileK3s: {"traefik"}}
)

// CNIProblem says what is wrong with a list of CNIs for RKE2, "" if nothing is.
func CNIProblem(list []string) (have, need string) {
	main := list
	if len(list) > 0 && list[0] == Multus {
		main = list[1:]
	}
	if len(main) == 1 && (slices.Contains(cnis, main[0]) || main[0] == None && len(list) == 1) {
		return "", ""
	}
	return told(list), "one of " + strings.Join(cnis, ", ") + ", alone or after " + Multus + "; or " + None
}

// IngressProblem says what is wrong with a list of ingress controllers, "" if
// nothing is. The first of several is the cluster's default.
func IngressProblem(profile string, list []string) (have, need string) {
	may := ingresses[profile]
	good := len(list) > 0
	for i, name := range list {
		good = good && slices.Contains(may, name) && !slices.Contains(list[:i], name)
	}
	if good || len(list) == 1 && list[0] == None {
		return "", ""
	}
	return told(list), "each once of " + strings.Join(may, ", ") + "; or " + None
}

func told(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return quoted(strings.Join(list, ", "))
}
