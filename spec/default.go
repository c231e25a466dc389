package spec

import (
	"strings"

	"github.com/distribution/reference"
)

// The defaults of a Spec.
const (
	DefaultBase        = "debian-13"
	DefaultMirror      = "http://deb.debian.org/debian"
	DefaultSecurity    = "http://deb.debian.org/debian-security"
	DefaultEngine      = EngineZot
	DefaultPodCIDR     = "10.42.0.0/16"
	DefaultServiceCIDR = "10.43.0.0/16"
	DefaultAfter       = "reboot"
	DefaultCNI         = "canal"
	// DefaultIngress is written out for every version: RKE2's own default changed
	// between lines, and this one is in all of them.
	DefaultIngress = "traefik"
	SourceModules  = "modules"
	NoSecurity     = "none"
)

// The datastores of K3s on its one server.
const (
	DatastoreEtcd   = "etcd"
	DatastoreSQLite = "sqlite"
)

// The registry engines.
const (
	EngineZot          = "zot"
	EngineDistribution = "distribution"
)

// DefaultSerial is the serial console where the Spec names none.
const DefaultSerial = "ttyS0,115200"

// SerialConsole is the serial console as the kernel names it (serial-console.rst of
// its documentation): port, comma, bits in a second.
func (o OS) SerialConsole() string {
	if o.Serial == "" {
		return DefaultSerial
	}
	return o.Serial
}

// Default fills what the author left open, and writes image references in full
// (x:1 is docker.io/library/x:1, as container runtimes read it), so that every
// later stage compares like with like. It never overwrites a value, and doing
// it twice changes nothing.
func Default(e *Enclave) {
	fill(&e.APIVersion, APIVersion)
	fill(&e.Kind, KindEnclave)
	fill(&e.OS.Base, DefaultBase)
	fill(&e.OS.Mirror, DefaultMirror)
	fill(&e.OS.Security, DefaultSecurity)
	if e.OS.Firmware == nil {
		e.OS.Firmware = ptr(true)
	}
	if e.OS.Microcode == nil {
		e.OS.Microcode = ptr(true)
	}
	e.Kubernetes.fill()
	fill(&e.Registry.Engine, DefaultEngine)
	fill(&e.Network.PodCIDR, DefaultPodCIDR)
	fill(&e.Network.ServiceCIDR, DefaultServiceCIDR)
	for i := range e.Nodes {
		e.Nodes[i].Network.Bond.fill()
	}
	if e.Classification.Label != "" {
		fill(&e.Classification.Colour, bannerColour(e.Classification.Label))
	}
	for i := range e.Images {
		// No tag is added here: a Spec that leaves it open is refused.
		if named, err := reference.ParseNormalizedNamed(e.Images[i].Ref); err == nil {
			e.Images[i].Ref = named.String()
		}
		if m := e.Images[i].Module; m != nil {
			fill(&m.Package, m.Path)
		}
	}
}

// profileOf is the profile that a version can only mean: RKE2's and K3s's releases
// carry the vendor's mark, and one without a mark is upstream's; "" for any other.
func profileOf(version string) string {
	_, mark, marked := strings.Cut(version, "+")
	switch {
	case strings.HasPrefix(mark, "rke2r"):
		return ProfileRKE2
	case strings.HasPrefix(mark, "k3s"):
		return ProfileK3s
	case version == "" || marked:
		return ""
	}
	return ProfileKubeadm
}

func (k *Kubernetes) fill() {
	fill(&k.Profile, profileOf(k.Version))
	switch k.Profile {
	case ProfileKubeadm:
		fill(&k.Source, SourceModules)
	case ProfileRKE2, ProfileK3s:
		if len(k.CNI) == 0 && k.Profile == ProfileRKE2 {
			k.CNI = []string{DefaultCNI}
		}
		if k.Profile == ProfileK3s {
			fill(&k.Datastore, DatastoreEtcd)
		}
		if len(k.Ingress) == 0 {
			k.Ingress = []string{DefaultIngress}
		}
	}
}

func (b *Bond) fill() {
	if len(b.Interfaces) > 0 {
		fill(&b.Mode, BondActiveBackup)
	}
}

// bannerColour follows the colours of the United States' cover labels (GSA
// Standard Forms 706, 707, 708, 710 and 712); "" if the label is none of theirs.
func bannerColour(label string) string {
	l := strings.ToUpper(label)
	for _, c := range []struct{ prefix, colour string }{
		{"UNCLASSIFIED", "green"}, {"CONFIDENTIAL", "blue"}, {"SECRET", "red"},
		{"TOP SECRET//SCI", "yellow"}, {"TOP SECRET", "orange"},
	} {
		if strings.HasPrefix(l, c.prefix) {
			return c.colour
		}
	}
	return ""
}

func fill(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

func ptr[T any](v T) *T { return &v }
