package release

// line is what holds for one minor version and changed between them. A number
// is the first patch release of the line that has the rule.
type line struct {
	// inCore is the ingress controller whose images RKE2's core archive has; those
	// of the other one lie in an archive of their own. They changed places in 1.36
	// (rke2 scripts/build-images at the tags of each line).
	inCore string
	// cache: agent/images/.cache.json spares an import and loses nothing by it. It
	// is known since May 2025 (rke2-docs docs/install/airgap.md), but the images of
	// an archive that is passed over are pinned again only since it holds their names
	// (k3s pkg/agent/containerd/watcher.go, June 2026, in main, which 1.36.3 was made
	// from; the branches of older lines were not seen to have it).
	cache int
	// expiry: with its CIS profile RKE2 itself sets
	// --service-account-extend-token-expiration=false (rke2
	// pkg/executor/staticpod/staticpod.go at the tags of each line).
	expiry int
	// noCloudSetup: RKE2's units start while nm-cloud-setup.service is enabled
	// (rke2 bundle/lib/systemd/system at the tags of each line, as for
	// condition).
	noCloudSetup int
	// condition: RKE2's two units keep each other out with ExecCondition=, not
	// with Conflicts= (rke2 bundle/lib/systemd/system).
	condition int
	// lastPublic is RKE2's last release for everybody, of a line that is followed
	// by releases for customers alone (rke2-docs docs/release-notes-old).
	lastPublic Version
}

// never stands for a patch release that a line did not come to.
const never = 1 << 30

// The oldest and newest lines of the table.
const oldestLine, newestLine = 31, 36

var lines = map[int]line{
	31: {inCore: "ingress-nginx", cache: never, expiry: 14, noCloudSetup: never, condition: never, lastPublic: Version{RKE2, 31, 14, 1}},
	32: {inCore: "ingress-nginx", cache: never, expiry: 10, noCloudSetup: 11, condition: 13},
	33: {inCore: "ingress-nginx", cache: never, expiry: 6, noCloudSetup: 7, condition: 9},
	34: {inCore: "ingress-nginx", cache: never, expiry: 2, noCloudSetup: 3, condition: 5},
	35: {inCore: "ingress-nginx", cache: never, expiry: 0, noCloudSetup: 0, condition: 2},
	36: {inCore: "traefik", cache: 3, expiry: 0, noCloudSetup: 0, condition: 0},
}

func (v Version) line() line { return lines[v.Minor] }

// HasImageCache tells whether an empty agent/images/.cache.json spares a node
// the import of unchanged archives at each start, and their images stay pinned.
func (v Version) HasImageCache() bool { return v.Patch >= v.line().cache }

// SetsTokenExpiry tells whether the product itself ends the long life of service
// account tokens under its CIS profile; K3s has no such profile, so that its
// node must be told (k3s-docs docs/security/hardening-guide.md).
func (v Version) SetsTokenExpiry() bool { return v.Product == RKE2 && v.Patch >= v.line().expiry }

// RefusesCloudSetup tells whether RKE2's units refuse to start while
// nm-cloud-setup.service is enabled. K3s has no unit of the vendor's here.
func (v Version) RefusesCloudSetup() bool {
	return v.Product == RKE2 && v.Patch < v.line().noCloudSetup
}

// Exclusion is the directive with which RKE2's server and agent units keep each
// other out: Conflicts or ExecCondition. K3s's have none (k3s
// install.sh).
func (v Version) Exclusion() string {
	switch {
	case v.Product == K3s:
		return ""
	case v.Patch >= v.line().condition:
		return "ExecCondition"
	}
	return "Conflicts"
}

// PrimeOnly tells whether the release is for the vendor's customers alone.
func (v Version) PrimeOnly() bool {
	last := v.line().lastPublic
	later := v.Patch > last.Patch || v.Patch == last.Patch && v.Revision > last.Revision
	return v.Product == RKE2 && last.Minor > 0 && later
}
