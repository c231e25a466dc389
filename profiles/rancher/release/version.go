package release

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Version is a release of a product, as its tag has it: v1.MINOR.PATCH of
// Kubernetes, and the vendor's own number behind it.
type Version struct {
	Product  Product
	Minor    int
	Patch    int
	Revision int // rke2r1, k3s1
}

const number = `(0|[1-9][0-9]{0,3})`

// Tags (rke2 and k3s scripts/version.sh).
var tagForm = map[Product]*regexp.Regexp{
	RKE2: regexp.MustCompile(`^v1\.` + number + `\.` + number + `(-rc[0-9]+)?\+rke2r([1-9][0-9]{0,3})$`),
	K3s:  regexp.MustCompile(`^v1\.` + number + `\.` + number + `(-rc[0-9]+)?\+k3s([1-9][0-9]{0,3})$`),
}

// Parse reads a tag strictly. A candidate (-rc1) is refused: the vendor makes
// them to find faults with, and what a node is accredited with must be final.
func Parse(p Product, tag string) (Version, error) {
	bad := func(have, need string) error {
		return VersionUnknown.New("cannot use %s version %q: have %s, need %s", p, tag, have, need)
	}
	form, ok := tagForm[p]
	if !ok {
		return Version{}, bad("no such product", "rke2 or k3s")
	}
	example := Version{p, newestLine, 0, 1}
	m := form.FindStringSubmatch(tag)
	for other, form := range tagForm {
		if m == nil && form.MatchString(tag) {
			return Version{}, bad("a release of "+string(other), fmt.Sprintf("one of %s, such as %s", p, example))
		}
	}
	switch {
	case m == nil:
		return Version{}, bad("another form", "a release in full, such as "+example.String())
	case m[3] != "":
		return Version{}, bad("a candidate for a release", "a release, such as "+strings.Replace(tag, m[3], "", 1))
	}
	v := Version{Product: p}
	for i, to := range map[int]*int{1: &v.Minor, 2: &v.Patch, 4: &v.Revision} {
		*to, _ = strconv.Atoi(m[i]) // the form allows digits only
	}
	if v.Minor < oldestLine || v.Minor > newestLine {
		return Version{}, VersionUnknown.New("cannot use %s version %q: have line 1.%d, need one of 1.%d to 1.%d", p, tag, v.Minor, oldestLine, newestLine).
			Hint("a newer line needs a newer Caisson, which knows the files and rules that go with it")
	}
	return v, nil
}

// String is the tag.
func (v Version) String() string {
	suffix := "rke2r"
	if v.Product == K3s {
		suffix = "k3s"
	}
	return fmt.Sprintf("v1.%d.%d+%s%d", v.Minor, v.Patch, suffix, v.Revision)
}

// ImageTag is the version in the tag of an image, which cannot hold "+"
// (rke2 and k3s scripts/version.sh).
func (v Version) ImageTag() string { return strings.Replace(v.String(), "+", "-", 1) }
