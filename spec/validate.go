package spec

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// profilesKnown are the values of kubernetes.profile that this version can build.
// The profiles themselves are in package profiles; internal/archtest holds
// the two lists together.
var profilesKnown = []string{ProfileKubeadm, ProfileRKE2, ProfileK3s}

// Profiles is the list of profile names that this version accepts.
func Profiles() []string { return slices.Clone(profilesKnown) }

// Validate reports everything in e that would fail later: forms, ranges, and
// fields that contradict each other. It expects defaults to be filled in
// (Default) and looks at no file and no network.
func Validate(e Enclave) error {
	p := &problems{codes: enclaveCodes}
	p.header(e.APIVersion, e.Kind, KindEnclave)
	p.enclave(e)
	return p.join("", nil)
}

func (p *problems) enclave(e Enclave) {
	p.label("metadata.name", e.Metadata.Name, "the enclave's name")
	p.classification(e.Classification)
	p.os(e.OS)
	p.kubernetes(e.Kubernetes)
	p.registry(e.Registry)
	p.images(e.Images)
	p.manifests(e.Manifests)
	p.nodes(e.Nodes)
	p.users("users", e.Users)
	p.network(e)
	p.servers("time.ntp", e.Time.NTP)
	p.secrets(e.Secrets)
}

// RFC 1123 section 2.1 with RFC 1035 section 2.3.1, as Kubernetes reads them.
var labelForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func (p *problems) label(path, name, what string) {
	if labelForm.MatchString(name) {
		return
	}
	hint := what + " becomes a part of host and file names"
	if fixed := strings.Trim(strings.Map(toLabel, strings.ToLower(name)), "-"); fixed != name && labelForm.MatchString(fixed) {
		hint = "for example " + fixed
	}
	p.bad(path, quoted(name), "1 to 63 of a-z, 0-9 and -, with a letter or digit at each end", hint)
}

func toLabel(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return '-'
}

// oneOf reports value if it is not in list. An empty value is allowed.
func (p *problems) oneOf(path, value string, list ...string) bool {
	if value == "" || slices.Contains(list, value) {
		return true
	}
	hint := ""
	if near := Nearest(value, list); near != "" {
		hint = "did you mean " + near + "?"
	}
	need := list[0]
	if len(list) > 1 {
		need = "one of " + strings.Join(list, ", ")
	}
	p.bad(path, quoted(value), need, hint)
	return false
}

func (p *problems) classification(c Classification) {
	const widest = 60 // columns: the banner must fit an 80 column screen with its frame
	if n := len([]rune(c.Label)); n > widest {
		p.bad("classification.label", fmt.Sprintf("%d characters", n), fmt.Sprintf("at most %d", widest), "")
	}
	p.oneOf("classification.colour", c.Colour, "green", "blue", "red", "orange", "yellow")
	if c.Colour != "" && c.Label == "" {
		p.clash("classification.colour", "a colour without a label", "classification.label beside it", "")
	}
}

var (
	// The ports that every PC kernel has (8250), at speeds that consoles have.
	serialForm = regexp.MustCompile(`^ttyS[0-3],(9600|19200|38400|57600|115200)$`)
	// Debian Policy 5.6.1: package names.
	packageForm = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)
	// ModuleVersion: a release of Semantic Versioning 2.0.0, with Go's leading v.
	releaseForm = regexp.MustCompile(`^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$`)
)

func (p *problems) os(o OS) {
	p.oneOf("os.base", o.Base, DefaultBase)
	p.archive("os.mirror", o.Mirror)
	if o.Security != NoSecurity {
		p.archive("os.security", o.Security)
	}
	if o.Snapshot != "" {
		// The form of snapshot.debian.org's archive paths.
		if _, err := time.Parse("20060102T150405Z", o.Snapshot); err != nil {
			p.bad("os.snapshot", quoted(o.Snapshot), "a time in UTC of the form yyyymmddThhmmssZ, as in 20261101T000000Z", "")
		}
		const hint = "leave os.snapshot out: the lock pins each package by digest all the same"
		if liveArchive(o.Mirror) {
			p.clash("os.snapshot", "a snapshot time with the mirror "+o.Mirror+", which keeps no snapshots", "os.mirror that names a snapshot archive", hint)
		}
		if liveArchive(o.Security) {
			p.clash("os.snapshot", "a snapshot time with the security archive "+o.Security+", which keeps no snapshots",
				"os.security that names a snapshot archive, or "+NoSecurity, hint)
		}
	}
	if o.Serial != "" && !serialForm.MatchString(o.Serial) {
		p.bad("os.serial", quoted(o.Serial), "a port from ttyS0 to ttyS3, a comma and 9600, 19200, 38400, 57600 or 115200, as in "+DefaultSerial, "the first port is ttyS0 (COM1); boot menu, installer and node are on that one")
	}
	seen := map[string]bool{}
	for i, name := range o.Packages {
		path := item("os.packages", i)
		switch {
		case !packageForm.MatchString(name):
			p.bad(path, quoted(name), "the name of a Debian package, without a version", "")
		case seen[name]:
			p.clash(path, quoted(name)+" a second time", "each package once", "")
		}
		seen[name] = true
	}
}

// liveArchive: Debian's own servers hold what is current and nothing else.
func liveArchive(root string) bool {
	u, err := url.Parse(root)
	return err == nil && slices.Contains([]string{"deb.debian.org", "security.debian.org"}, u.Hostname())
}

// archive checks the root URL of a package archive.
func (p *problems) archive(path, text string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		p.bad(path, quoted(text), "a URL that begins with http:// or https://", "")
	case u.User != nil:
		p.bad(path, "a URL with a user name or password in it", "one without", "the Spec travels on the medium; keep credentials out of it")
	case u.RawQuery != "" || u.Fragment != "":
		p.bad(path, quoted(text), "a URL without ? and #", "")
	}
}

func (p *problems) registry(r Registry) {
	if !p.oneOf("registry.engine", r.Engine, EngineZot, EngineDistribution) {
		return
	}
	if r.Version != "" && !releaseForm.MatchString(r.Version) {
		p.bad("registry.version", quoted(r.Version), "a release of the form vX.Y.Z", "")
	}
	if r.Engine == EngineDistribution {
		if r.Version == "" {
			p.add(p.missing, "registry.version", "nothing", "the release of "+EngineDistribution+" to compile", "for example v3.1.2")
		}
		if r.Binary != nil {
			p.clash("registry.binary", "a binary for the engine "+EngineDistribution, "none: it is compiled from its module", "remove registry.binary, or choose the engine "+EngineZot)
		}
		return
	}
	if r.Binary == nil {
		p.add(p.missing, "registry.binary", "nothing", "where the release binary of "+EngineZot+" comes from: url with sha256 or checksum, or path",
			"or choose registry.engine: "+EngineDistribution+", which is compiled from its module")
		return
	}
	p.fileSource("registry.binary", *r.Binary)
}

var hexForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (p *problems) fileSource(path string, f FileSource) {
	switch {
	case f.URL == "" && f.Path == "":
		p.add(p.missing, path, "neither url nor path", "one of them", "")
	case f.URL != "" && f.Path != "":
		p.clash(path, "both url and path", "one of them", "")
	case f.URL != "":
		p.archive(child(path, "url"), f.URL)
		if f.SHA256 == "" && f.Checksum == "" {
			p.add(p.missing, child(path, "sha256"), "nothing", "the SHA-256 of what the URL serves", "take it from the vendor's checksum file, or name that file as "+child(path, "checksum"))
		}
	}
	if f.SHA256 != "" && !hexForm.MatchString(f.SHA256) {
		p.bad(child(path, "sha256"), quoted(f.SHA256), "64 lower-case hex digits", "")
	}
	if f.ChecksumURL() {
		p.archive(child(path, "checksum"), f.Checksum)
	}
}
