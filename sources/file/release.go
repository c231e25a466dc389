package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/semver"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/fetch"
	"caisson.dev/caisson/internal/size"
)

// maxListing bounds the page that lists a mirror's releases.
const maxListing = 4 * size.MiB

// absent makes more of err, if it says that the file at where is not there and
// the Want tells which release was looked for.
func (s Source) absent(ctx context.Context, f bundle.FileWant, where string, err error) error {
	if f.Release == "" || !fetch.NotFound.Is(err) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	shown := where
	if !onServer(where) {
		shown = s.at(where)
	}
	fault := ReleaseMissing.New("cannot find release %s: have no %s, need it", f.Release, shown)
	near := nearest(f.Release, s.listing(ctx, where))
	if len(near) == 0 {
		return fault.Hint("check the version and the place; there is no list of what is there")
	}
	return fault.Hint("the nearest that are there: %s", strings.Join(near, ", "))
}

// listing is what lies beside the folder of the file at where: the names there,
// or all words of the page that the server has for it, whatever its form. Many
// servers have none, so it is asked for once and no error is told.
func (s Source) listing(ctx context.Context, where string) []string {
	if !onServer(where) {
		var names []string
		entries, _ := os.ReadDir(filepath.Dir(filepath.Dir(s.at(where))))
		for _, e := range entries {
			if e.IsDir() {
				names = append(names, e.Name())
			}
		}
		return names
	}
	folder := where[:strings.LastIndexByte(where, '/')]
	client := *s.Fetch
	client.Tries = 1
	page, _ := client.Bytes(ctx, s.Store, folder[:strings.LastIndexByte(folder, '/')+1], maxListing)
	return strings.FieldsFunc(asText.Replace(string(page)), func(r rune) bool { return strings.ContainsRune("/<>\"'=&?#, \t\r\n", r) })
}

// asText takes the two ways in which pages write "+" out.
var asText = strings.NewReplacer("%2B", "+", "%2b", "+", "&#43;", "+")

var releaseForm = regexp.MustCompile(`^(v[0-9]+\.[0-9]+\.[0-9]+\+[a-z0-9]*?)([0-9]+)$`)

// nearest are the releases of the same product next before and next after one
// that is not there, two each, in order. Candidates for a release do not count.
func nearest(release string, names []string) []string {
	product := func(name string) string {
		return strings.TrimRight(strings.TrimPrefix(semver.Build(name), "+"), "0123456789")
	}
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !releaseForm.MatchString(name) || product(name) != product(release) || name == release
	})
	slices.SortFunc(names, compare)
	names = slices.Compact(names)
	at, _ := slices.BinarySearchFunc(names, release, compare)
	return names[max(at-2, 0):min(at+2, len(names))]
}

// compare orders releases; the number at the end is the maker's own and counts
// last (v1.31.14+rke2r2 after v1.31.14+rke2r1), which semver leaves out.
func compare(a, b string) int {
	if c := semver.Compare(a, b); c != 0 {
		return c
	}
	return revision(a) - revision(b)
}

func revision(name string) int {
	n := 0
	if m := releaseForm.FindStringSubmatch(name); m != nil {
		n, _ = strconv.Atoi(m[2])
	}
	return n
}
