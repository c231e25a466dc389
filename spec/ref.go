package spec

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
)

// NormalizeRef writes an image reference in full, as container runtimes read
// it: "nginx" is docker.io/library/nginx:latest (distribution/reference,
// "normalized" names). A digest in it is kept, and then no tag is added.
func NormalizeRef(ref string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", fmt.Errorf("cannot read image reference %s: %w", quoted(ref), err)
	}
	return reference.TagNameOnly(named).String(), nil
}

// refProblem says what keeps ref from being carried; both are "" if nothing.
// The rules come from the on-disk form of the registry: names inside it are
// <host>/<repository>, folders whose names hold a colon or capitals are not
// served, and only a tag makes an image listed.
func refProblem(ref string) (have, need string) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return quoted(ref), "an image reference such as registry.k8s.io/pause:3.10.2"
	}
	if _, ok := named.(reference.Digested); ok {
		return quoted(ref) + " with a digest in it", "name and tag here, and the digest in the field digest"
	}
	if _, ok := named.(reference.Tagged); !ok {
		return quoted(ref) + " without a tag", "a tag, as in " + named.Name() + ":1.2.3"
	}
	if host := reference.Domain(named); strings.ContainsRune(host, ':') || strings.ToLower(host) != host {
		return quoted(ref), "a host in lower case and without a port: it becomes a folder of the node's registry"
	}
	return "", ""
}
