// Package debian is the source of Debian packages. Resolve gives the question
// "what does this need" to apt itself, in a root folder of its own with no
// package installed: apt checks the archive's signature against Debian's
// keyring and works out the dependencies; the answer is pinned by version, size
// and digest. Collect downloads exactly those packages, and, when single files
// are wanted, takes them out.
//
// It installs nothing and runs no maintainer script. It is for the low side only.
package debian

import (
	"context"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fetch"
)

// DefaultKeyring holds the keys that sign Debian's archive (package
// debian-archive-keyring).
const DefaultKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// Source brings packages; it implements bundle.Source for DebianWants.
type Source struct {
	Store   *bundle.Store
	Fetch   *fetch.Client
	Keyring string // "" means DefaultKeyring

	mu      sync.Mutex
	updated map[string]bool // roots whose lists were brought up to date in this run
}

// Resolve pins the packages and, unless NoDeps, everything they depend on.
// Recommended packages do not come along. Pins are sorted by package name.
func (s *Source) Resolve(ctx context.Context, w bundle.Want) (bundle.Pin, error) {
	d := *w.Debian
	if err := check(w.Name, d); err != nil {
		return bundle.Pin{}, err
	}
	root, unlock, err := s.root(ctx, d)
	if err != nil {
		return bundle.Pin{}, err
	}
	defer unlock()
	packages := d.Packages
	if d.Base {
		base, err := root.base()
		if err != nil {
			return bundle.Pin{}, err
		}
		packages = append(base, packages...)
	}
	// The order of the packages stays as it was given: where two packages can
	// fill a need, it decides which does.
	args := append([]string{"install", "--no-install-recommends"}, packages...)
	if d.NoDeps {
		args = append([]string{"download"}, packages...)
	}
	out, said, err := root.apt(ctx, append([]string{"-qq", "-y", "--print-uris"}, args...)...)
	if err != nil {
		if ctx.Err() != nil {
			return bundle.Pin{}, context.Cause(ctx)
		}
		return bundle.Pin{}, Unresolved.New("cannot resolve packages of %s in suite %s: %s", w.Name, d.Suite, said).
			Hint("check the spelling, the suite and the components (firmware is in non-free-firmware)")
	}
	debs, err := parseURIs(out)
	if err != nil {
		return bundle.Pin{}, err
	}
	if len(debs) == 0 {
		return bundle.Pin{}, Unresolved.New("cannot resolve packages of %s in suite %s: have no answer for %s", w.Name, d.Suite, strings.Join(packages, " "))
	}
	return bundle.Pin{Want: w, Debs: debs}, nil
}

// uriLine is one line of apt-get --print-uris with Acquire::ForceHash=SHA256.
var uriLine = regexp.MustCompile(`^'([^']+)' ([^ _]+)_([^ _]+)_([^ _]+)\.deb ([0-9]+) SHA256:([0-9a-f]{64})$`)

func parseURIs(out string) ([]bundle.DebPin, error) {
	var debs []bundle.DebPin
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		m := uriLine.FindStringSubmatch(line)
		if m == nil {
			return nil, ArchiveFailed.New("cannot read apt's answer: have %q, need an address, a size and a SHA-256", line)
		}
		version, err := url.PathUnescape(m[3]) // the epoch's colon is %3a in file names
		if err != nil {
			return nil, ArchiveFailed.New("cannot read apt's answer: have version %q: %w", m[3], err)
		}
		n, err := strconv.ParseInt(m[5], 10, 64)
		if err != nil {
			return nil, ArchiveFailed.New("cannot read apt's answer: have size %q: %w", m[5], err)
		}
		d, err := digest.FromHex(m[6])
		if err != nil {
			return nil, err
		}
		debs = append(debs, bundle.DebPin{Package: m[2], Version: version, URL: m[1], Size: n, Digest: d})
	}
	slices.SortFunc(debs, func(a, b bundle.DebPin) int { return strings.Compare(a.Package, b.Package) })
	return debs, nil
}

var (
	word        = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/+-]*$`)
	packageName = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]*(=[A-Za-z0-9.+:~-]+)?$`) // Debian Policy 5.6.1, 5.6.12
)

// check keeps anything out of apt's configuration and command line that is not
// what it claims to be.
func check(name string, d bundle.DebianWant) error {
	bad := func(what, have, need string) error {
		return BadWant.New("cannot resolve packages of %s: have %s %q, need %s", name, what, have, need)
	}
	mirrors := []string{d.Mirror}
	if d.Security != "" {
		mirrors = append(mirrors, d.Security)
	}
	for _, m := range mirrors {
		u, err := url.Parse(m)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsAny(m, " \t\n[]\"") {
			return bad("mirror", m, "an http or https address")
		}
	}
	if !word.MatchString(d.Suite) {
		return bad("suite", d.Suite, "a name like trixie")
	}
	if !word.MatchString(d.Arch) {
		return bad("architecture", d.Arch, "a name like amd64")
	}
	if len(d.Components) == 0 {
		return bad("components", "", "at least one, as in main")
	}
	for _, c := range d.Components {
		if !word.MatchString(c) {
			return bad("component", c, "a name like main")
		}
	}
	if len(d.Packages) == 0 && !d.Base {
		return bad("packages", "", "at least one")
	}
	for _, p := range d.Packages {
		if !packageName.MatchString(p) {
			return bad("package", p, "a package's name")
		}
	}
	return nil
}
