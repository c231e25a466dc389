package archtest

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// leaves may be imported by anybody. They import one another and nothing else.
var leaves = []string{
	"internal/fault", "internal/digest", "internal/size", "internal/canon", "internal/event", "internal/gpt",
	"internal/arp", "internal/deb", "internal/newfile", "internal/progress", "internal/standin", "internal/system", "internal/unpack", "internal/version", "docs/errors",
}

// layers says which folders a folder may import besides leaves and what lies
// below itself; the longest entry that fits is the one that counts. It is
// section 2 of the design as a table:
//
//	leaves <- spec <- bundle <- {images, sources, iso, nodeos, profiles} <- profiles/* <- catalog
//	{spec, bundle, profiles} <- installer/plan <- {tui, installer/apply}
//
// Read a line as: to the left, who; to the right, all that it may know.
var layers = map[string][]string{
	"spec":           {},
	"spec/manifests": {"spec"},
	"spec/schema":    {},
	"bundle":         {"spec"},
	"secrets":        {"bundle", "spec"},

	"images":              {"bundle", "spec"},
	"images/zot":          {"images", "bundle", "spec"},
	"images/distribution": {"images", "bundle", "spec"},
	"images/catalog":      {"images", "images/zot", "images/distribution"},
	"images/imagetest":    {"images", "bundle"},

	"internal/fetch": {"bundle"},
	"sources":        {"bundle", "internal/fetch"},
	"iso":            {"iso/iso9660", "iso/esp", "bundle"},
	"iso/iso9660":    {},
	"iso/esp":        {},
	"nodeos":         {"bundle", "spec"},
	"nodeos/build":   {"nodeos", "bundle", "spec"},
	"nodeos/room":    {},
	// On the installed node, behind the console: what a profile says is done.
	"nodeos/netchange": {"profiles", "spec"},

	"profiles":                 {"images", "bundle", "secrets", "spec"},
	"profiles/host":            {"profiles", "images", "spec"},
	"profiles/cluster":         {},
	"profiles/check":           {"profiles", "profiles/host", "profiles/cluster", "spec"},
	"profiles/kubeadm":         {"profiles", "profiles/host", "profiles/cluster", "profiles/check", "profiles/rancher/registries", "images", "bundle", "secrets", "spec", "nodeos"},
	"profiles/rancher/release": {"bundle", "spec"},
	"profiles/rke2-cis":        {"profiles", "profiles/host", "profiles/cluster", "profiles/check", "profiles/rancher/archive", "profiles/rancher/node", "profiles/rancher/config", "profiles/rancher/registries", "profiles/rancher/release", "images", "bundle", "secrets", "spec"},
	"profiles/k3s-edge":        {"profiles", "profiles/host", "profiles/cluster", "profiles/check", "profiles/rancher/archive", "profiles/rancher/node", "profiles/rancher/config", "profiles/rancher/registries", "profiles/rancher/release", "images", "bundle", "secrets", "spec"},
	"profiles/catalog":         {"profiles", "profiles/kubeadm", "profiles/rke2-cis", "profiles/k3s-edge"},

	// What the profiles of RKE2 and K3s have in common.
	"profiles/rancher/config":           {"spec"},
	"profiles/rancher/registries":       {"profiles/rancher/config", "images"},
	"profiles/rancher/registries/proof": {"profiles/rancher/registries", "profiles/rancher/config"},
	"profiles/rancher/archive":          {"images", "profiles/rancher/release"},
	"profiles/rancher/node":             {"profiles", "profiles/host", "profiles/cluster", "profiles/rancher/config", "profiles/rancher/registries", "profiles/rancher/release", "images", "secrets", "spec"},

	"installer/machine":     {"nodeos", "spec"},
	"installer/disk":        {"nodeos", "bundle"},
	"installer/plan":        {"installer/machine", "installer/disk", "profiles", "images", "bundle", "spec", "nodeos"},
	"installer/apply":       {"installer/plan", "installer/machine", "installer/disk", "installer/record", "profiles", "images", "bundle", "secrets", "spec", "nodeos"},
	"installer/record":      {"installer/plan", "installer/machine", "installer/disk", "bundle", "spec"},
	"installer/installtest": {"installer/machine", "installer/plan", "images", "images/imagetest", "profiles", "bundle", "secrets", "spec", "nodeos"},
	"tui":                   {"installer/plan", "installer/machine", "profiles", "bundle", "spec"},

	// What the commands of the low side are made of, and the commands themselves.
	"internal/assemble": {"iso", "iso/iso9660", "iso/esp", "nodeos", "nodeos/build", "sources", "profiles", "profiles/catalog",
		"profiles/rancher/config", "profiles/rancher/registries", "profiles/rancher/registries/proof", "images", "images/catalog", "bundle", "secrets", "spec", "spec/manifests"},
	"internal/cli": {},
	"internal/cli/build": {"internal/cli", "internal/assemble", "iso", "iso/iso9660", "nodeos", "sources", "profiles", "profiles/catalog", "images", "images/catalog", "bundle",
		"secrets", "spec", "spec/manifests", "spec/schema", "installer/plan", "installer/machine", "qemu-tests/vm"},
	"internal/cli/node": {"internal/cli", "tui", "installer/plan", "installer/apply", "installer/machine", "installer/disk", "installer/record", "profiles", "profiles/catalog",
		"images", "images/catalog", "images/zot", "images/distribution", "bundle", "secrets", "spec", "nodeos", "nodeos/netchange", "nodeos/room"},
	"cmd/caisson":       {"internal/cli/build"},
	"cmd/caisson-node":  {"internal/cli/node"},
	"cmd/caisson-pause": {},

	// The scenarios see the product from outside: its ISO, its screens, its events.
	"qemu-tests/vm":        {"iso/iso9660"},
	"qemu-tests/scenarios": {"qemu-tests/vm"},
	"qemu-tests/standin":   {"profiles/rancher/config", "profiles/rancher/registries", "profiles/rancher/archive", "profiles/rancher/release", "spec"},
}

// planned are lines for folders that the design names and nobody has made yet:
// the rule is there before the code.
var planned []string

// hasPackage tells whether a Go file lies in folder or below it.
func hasPackage(all []source, folder string) bool {
	return slices.ContainsFunc(all, func(s source) bool { return beneath(s.folder(), folder) })
}

// allowed tells whether a package in folder from may import the one in folder to.
func allowed(from, to string) bool {
	entry := entryOf(from)
	for _, leaf := range leaves {
		if beneath(to, leaf) {
			return true
		}
	}
	if entry == "" {
		return false
	}
	toEntry := entryOf(to)
	return toEntry == entry || toEntry != "" && slices.Contains(layers[entry], toEntry)
}

// entryOf is the line of the table that a folder belongs to.
func entryOf(folder string) string {
	best := ""
	for entry := range layers {
		if beneath(folder, entry) && len(entry) > len(best) {
			best = entry
		}
	}
	return best
}

// TestImportsFollowTheLayers reads every import of our own packages in the
// product's files. Tests may import more: they stand outside the flow.
func TestImportsFollowTheLayers(t *testing.T) {
	unknown := map[string]bool{}
	for _, s := range sources(t) {
		if s.isTest() || beneath(s.folder(), "internal/golden") || beneath(s.folder(), "internal/judge") || beneath(s.folder(), "internal/archtest") {
			continue
		}
		from := s.folder()
		isLeaf := slices.ContainsFunc(leaves, func(leaf string) bool { return beneath(from, leaf) })
		if !isLeaf && entryOf(from) == "" && !unknown[from] {
			unknown[from] = true
			t.Errorf("%s is in no line of the table: add it where the design puts it", from)
		}
		for _, path := range s.imports() {
			to, ours := strings.CutPrefix(path, module+"/")
			if ours && !unknown[from] && !allowed(from, to) {
				t.Errorf("%s: %s imports %s, which the table does not allow", s.path, from, to)
			}
		}
	}
}

// TestTableNamesWhatIsThere keeps the table from growing wrong by itself: it has
// no line for a folder that is neither there nor planned, and none that allows
// the line itself.
func TestTableNamesWhatIsThere(t *testing.T) {
	all := sources(t)
	for _, entry := range append(slices.Sorted(maps.Keys(layers)), leaves...) {
		switch there, isPlanned := hasPackage(all, entry), slices.Contains(planned, entry); {
		case !there && !isPlanned:
			t.Errorf("%s has a line and no Go file", entry)
		case there && isPlanned:
			t.Errorf("%s is there: take it out of the list of planned folders", entry)
		case isPlanned:
			t.Run(entry, func(t *testing.T) { t.Skip("planned: its line holds nothing yet") })
		}
	}
	for entry, may := range layers {
		for _, to := range may {
			if _, known := layers[to]; !known {
				t.Errorf("%s may import %s, which has no line", entry, to)
			}
			if to == entry {
				t.Errorf("%s may import itself", entry)
			}
		}
	}
}

// TestTestPackagesStayInTests: packages made for tests are linked by none of
// the programs.
func TestTestPackagesStayInTests(t *testing.T) {
	for _, s := range sources(t) {
		from := s.folder()
		for _, path := range s.imports() {
			to := strings.TrimPrefix(path, module+"/")
			testOnly := to == "internal/golden" || to == "internal/judge" || to == "images/imagetest" || to == "installer/installtest" || to == "iso/isotest" || to == "internal/system/fake"
			if testOnly && !s.isTest() && from != "installer/installtest" && from != "images/imagetest" {
				t.Errorf("%s imports %s, which is for tests", s.path, to)
			}
		}
	}
}

// TestTableRefuses proves the table on imports that nobody may write.
func TestTableRefuses(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"bundle", "spec", true}, {"spec", "bundle", false}, {"spec/manifests", "spec", true}, {"spec", "spec/manifests", false},
		{"sources/oci", "bundle", true}, {"sources/oci", "images", false}, {"images", "sources/oci", false},
		{"profiles/kubeadm", "profiles", true}, {"profiles", "profiles/kubeadm", false}, {"profiles/kubeadm", "installer/plan", false},
		{"nodeos", "nodeos/build", false}, {"internal/cli/node", "sources", false}, {"internal/cli/node", "internal/fetch", false},
		{"tui", "installer/plan", true}, {"tui", "installer/apply", false}, {"installer/plan", "installer/apply", false},
		{"qemu-tests/scenarios", "internal/event", true}, {"qemu-tests/scenarios", "installer/plan", false},
		{"internal/gpt", "internal/fault", true}, {"internal/gpt", "spec", false}, {"somewhere/new", "spec", false},
	} {
		if got := allowed(c.from, c.to); got != c.want {
			t.Errorf("%s importing %s: allowed is %v, want %v", c.from, c.to, got, c.want)
		}
	}
}
