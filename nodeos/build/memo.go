package build

import (
	"fmt"
	"net/url"
	"strconv"

	"caisson.dev/caisson/bundle"
)

// artifacts is the second stage's result as the Store remembers it. What is
// known of the image besides its bytes is in its Source, as a query.
func (m made) artifacts() []bundle.Artifact {
	q := url.Values{"version": {m.os.Version}, "hash-offset": {strconv.FormatInt(m.os.HashOffset, 10)}, "root-hash": {m.os.RootHash}}
	return []bundle.Artifact{
		{Name: "os/image", Digest: m.os.Image, Size: m.os.Size, Source: "?" + q.Encode()},
		m.kernel, m.initrd,
	}
}

// recall is the opposite of artifacts.
func recall(a []bundle.Artifact) (made, error) {
	if len(a) != 3 || len(a[0].Source) == 0 {
		return made{}, fmt.Errorf("cannot read what the store remembers of the node OS: have %d artifacts, need 3", len(a))
	}
	q, err := url.ParseQuery(a[0].Source[1:])
	if err != nil {
		return made{}, err
	}
	offset, err := strconv.ParseInt(q.Get("hash-offset"), 10, 64)
	if err != nil {
		return made{}, err
	}
	return made{kernel: a[1], initrd: a[2], os: bundle.OSImage{
		Version: q.Get("version"), Image: a[0].Digest, Size: a[0].Size, HashOffset: offset, RootHash: q.Get("root-hash"),
	}}, nil
}
