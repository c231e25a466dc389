// Package config knows config.yaml of RKE2 and K3s: which keys a release takes
// in which role, and how the file is read. Both pass over what they do not know
// with a warning, so that a misspelt security key is a setting that nobody has;
// here it is an error at the desk, and all errors come at once.
//
// A profile says what it sets (New, Set), adds what the Spec asks for (Extra)
// and takes the file (File). Read is how the product will read a node's files,
// main file and drop-ins, so that a live node can be checked too.
//
// It is pure: it reads an fs.FS and writes nothing. It leaves out what the
// values mean to each other (profiles do that) and registries.yaml (package
// registries). The profiles for RKE2 and K3s stand above it.
package config

import (
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// Product is whose config.yaml it is.
type Product string

const (
	RKE2 Product = "rke2"
	K3s  Product = "k3s"
)

// title is the product as its makers write it.
func (p Product) title() string {
	if p == RKE2 {
		return "RKE2"
	}
	return "K3s"
}

// Path is the main file on a node; Dir/*.yaml are read after it.
func (p Product) Path() string { return "/etc/rancher/" + string(p) + "/config.yaml" }

// Mode is the mode of config.yaml: it may hold the token.
const Mode = 0o600

// Role is the part that a node has in the cluster.
type Role string

const (
	First   Role = "first server"   // starts the cluster
	Further Role = "further server" // joins it as a server
	Agent   Role = "agent"          // joins it as a worker
)

// letter is the role in the table's columns.
func (r Role) letter() string {
	if r == Agent {
		return "A"
	}
	return "S"
}

// Target is the node that a config.yaml is for.
type Target struct {
	Product Product
	Role    Role
	Version string // v1.31.14+rke2r1
}

func (t Target) String() string {
	return t.Product.title() + " " + t.Version + " (" + string(t.Role) + ")"
}

// release is the version without what stands after the numbers: a candidate has
// the keys of its release.
func (t Target) release() string {
	v, _, _ := strings.Cut(semver.Canonical(t.Version), "-")
	return v
}

// has tells whether a release is as new as one of a list that names the first
// release of each minor line, as "1.31.12,1.32.8". Lines after the last have it.
func has(release string, since []string) bool {
	if len(since) == 0 {
		return true
	}
	line := semver.MajorMinor(release)
	for _, s := range since {
		if semver.MajorMinor("v"+s) == line {
			return semver.Compare(release, "v"+s) >= 0
		}
	}
	last := slices.MaxFunc(since, func(a, b string) int { return semver.Compare("v"+a, "v"+b) })
	return semver.Compare(line, semver.MajorMinor("v"+last)) > 0
}
