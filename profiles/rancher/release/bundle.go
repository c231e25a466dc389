package release

import (
	"archive/tar"
	"compress/gzip"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/internal/unpack"
)

// Limits of RKE2's bundle: its program has about 140 MB, beside nine small files
// (rke2 scripts/package-bundle).
const (
	maxUnpacked = 2 * size.GiB
	maxEntries  = 1000
)

// prefix is where the vendor's installer unpacks the bundle, and where its units
// look for the program and their .env files (rke2 install.sh, bundle/lib/systemd/system).
const prefix = "/usr/local"

// Member is a file of RKE2's bundle that is laid down on a node.
type Member struct {
	Name string // in the bundle: bin/rke2
	Mode uint32
}

// Path is the file's place on the node. The units do not stay under the prefix:
// /usr/local is mounted when systemd has read its units already, and the vendor's
// installer moves them in that case, too (rke2 install.sh).
func (m Member) Path() string {
	if path.Ext(m.Name) == ".service" {
		return path.Join("/etc/systemd/system", path.Base(m.Name))
	}
	return path.Join(prefix, m.Name)
}

// Members lists what is laid down, for servers and agents alike (rke2
// scripts/package-bundle).
// The licence stays with the program.
func Members() []Member {
	return []Member{
		{"bin/rke2", 0o755},
		{"bin/rke2-killall.sh", 0o755},
		{"bin/rke2-uninstall.sh", 0o755},
		{"lib/systemd/system/rke2-agent.env", 0o644},
		{"lib/systemd/system/rke2-agent.service", 0o644},
		{"lib/systemd/system/rke2-server.env", 0o644},
		{"lib/systemd/system/rke2-server.service", 0o644},
		{"share/rke2/LICENSE.txt", 0o644},
		{"share/rke2/rke2-cis-sysctl.conf", 0o644},
	}
}

// Unpack calls fn for each of Members in RKE2's bundle, in the bundle's order,
// with the bytes that it has; body is valid during the call. Other files of the
// bundle are passed over, but an archive with anything hostile in it is refused
// (ARCHIVE-HOSTILE), and so is one that lacks a member (RELEASE-BUNDLE). Both may
// come to light at the end: keep nothing unless Unpack returns nil. An error of
// fn ends it and is returned as it is.
func Unpack(r io.Reader, fn func(m Member, size int64, body io.Reader) error) error {
	const what = "RKE2's bundle"
	packed := &unpack.Counter{In: r}
	z, err := gzip.NewReader(packed)
	if err != nil {
		return BundleDamaged.New("cannot read %s: have no gzip stream, need one: %w", what, err).Hint(again)
	}
	plain := unpack.Bounded(z, what, packed.N, maxUnpacked)
	need := map[string]Member{}
	for _, m := range Members() {
		need[m.Name] = m
	}
	seen := map[string]bool{}
	err = unpack.Tar(plain, BundleDamaged, maxEntries, func(hdr *tar.Header, body io.Reader) error {
		if hdr.Typeflag == tar.TypeDir {
			return nil
		}
		if seen[hdr.Name] {
			return unpack.Hostile.New("cannot unpack %q of %s: have it a second time, need it once", hdr.Name, what)
		}
		seen[hdr.Name] = true
		m, ok := need[hdr.Name]
		switch {
		case !ok:
			return nil
		case hdr.Typeflag != tar.TypeReg:
			return unpack.Hostile.New("cannot unpack %q of %s: have a link, need a file", hdr.Name, what)
		case hdr.Size == 0:
			return nil // as if it were not there
		}
		delete(need, hdr.Name)
		return fn(m, hdr.Size, body)
	})
	if err == nil {
		// What follows the archive has the checksum of the whole in it.
		_, err = io.Copy(io.Discard, plain)
		if err != nil && !unpack.Hostile.Is(err) {
			err = BundleDamaged.New("cannot read %s to its end: %w", what, err).Hint(again)
		}
	}
	if err == nil && len(need) > 0 {
		names := strings.Join(slices.Sorted(maps.Keys(need)), ", ")
		err = BundleDamaged.New("cannot use %s: have nothing for %s, need each file with its bytes", what, names).
			Hint("is it the bundle (rke2.linux-ARCH.tar.gz) of a version that this Caisson knows?")
	}
	return err
}

const again = "fetch it again and compare it with the vendor's checksum file"
