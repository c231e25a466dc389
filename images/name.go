package images

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"

	"caisson.dev/caisson/internal/digest"
)

// Name is an image reference taken apart, in the normal form that container
// runtimes use: a reference without a host is Docker Hub's, one without a tag
// and without a digest has the tag "latest".
type Name struct {
	Host   string        // upstream registry: docker.io, registry.local:5000
	Path   string        // repository at that registry: library/busybox
	Tag    string        // empty if the reference has only a digest
	Digest digest.Digest // empty if the reference has only a tag
}

// maxRepository is the longest repository name that registries take, in bytes
// (distribution/reference, RepositoryNameTotalLengthMax). The upstream host is
// part of the name inside our registry, so the sum is checked here.
const maxRepository = 255

// ParseRef takes a reference apart. It refuses what the node's registry could
// not serve under MirrorPath: hosts that are IPv6 addresses, digests other than
// SHA-256, and names longer than 255 bytes with their host.
func ParseRef(ref string) (Name, error) {
	bad := func(why string, args ...any) (Name, error) {
		return Name{}, ErrRefInvalid.New("cannot use image reference %q: %s", ref, fmt.Sprintf(why, args...)).
			Hint("write host/repository:tag, as in registry.k8s.io/pause:3.10.2")
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return bad("%v", err)
	}
	n := Name{Host: reference.Domain(named), Path: reference.Path(named)}
	if d, ok := named.(reference.Digested); ok {
		if n.Digest, err = digest.Parse(d.Digest().String()); err != nil {
			return bad("%v", err)
		}
	}
	if t, ok := reference.TagNameOnly(named).(reference.Tagged); ok {
		n.Tag = t.Tag()
	}
	if strings.ContainsAny(n.Host, "[]") {
		return bad("have the IPv6 host %s, need a host name or an IPv4 address", n.Host)
	}
	// A single word in capitals is a host to the grammar, and a typing error to us.
	if n.Host != "localhost" && !strings.ContainsAny(n.Host, ".:") {
		return bad("have %q for a host, need a name with a dot or a port", n.Host)
	}
	if repo := n.Repository(); len(repo) > maxRepository {
		return bad("have a name of %d bytes with its host, need at most %d", len(repo), maxRepository)
	}
	return n, nil
}

// String is the normal form, as in ImageEntry.Ref.
func (n Name) String() string {
	s := n.Host + "/" + n.Path
	if n.Tag != "" {
		s += ":" + n.Tag
	}
	if n.Digest != "" {
		s += "@" + string(n.Digest)
	}
	return s
}

// Repository is the name inside the node's registry: the upstream host, as
// MirrorPath writes it, and the upstream repository.
func (n Name) Repository() string { return MirrorPath(n.Host) + "/" + n.Path }

// MirrorPath is the path under /v2/ at which the node's registry holds the
// images of an upstream host: http://<Address>/v2/<MirrorPath(host)>.
//
// The colon of a port becomes "_", because a repository name cannot hold a
// colon, and capitals become small, because it cannot hold those either. Host
// names have no "_" and no case, so two hosts never meet in one name.
func MirrorPath(host string) string {
	return strings.ReplaceAll(strings.ToLower(host), ":", "_")
}
