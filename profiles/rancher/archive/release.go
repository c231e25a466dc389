package archive

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/profiles/rancher/release"
)

// maxList bounds a list of images; the vendor's have a few KiB.
const maxList = 1 * size.MiB

// CheckRelease demands that the archives of a choice hold every image that the
// vendor's lists name for them, and RKE2's runtime image: what is in none of them
// is pulled, or missing. file gives the path of an artifact's bytes.
func CheckRelease(c release.Choice, file func(artifact string) (string, error)) error {
	files, err := c.Files()
	if err != nil {
		return err
	}
	lists, err := c.Lists()
	if err != nil {
		return err
	}
	var archives []string
	var needs []Need
	if c.Version.Product == release.RKE2 {
		needs = append(needs, Need{Ref: runtimeOf(c.Version), Runtime: true})
	}
	for _, f := range append(files, lists...) {
		if f.Kind != release.Images && f.Kind != release.List {
			continue
		}
		at, err := file(c.Artifact(f))
		if err != nil {
			return err
		}
		if f.Kind == release.Images {
			archives = append(archives, at)
			continue
		}
		listed, err := readList(at)
		if err != nil {
			return err
		}
		for _, ref := range listed {
			if ref != runtimeOf(c.Version) { // asked for above, and more strictly
				needs = append(needs, Need{Ref: ref})
			}
		}
	}
	return Check(archives, needs)
}

// runtimeOf is what RKE2 looks for first of all (rke2 pkg/bootstrap/bootstrap.go).
func runtimeOf(v release.Version) string {
	return "docker.io/rancher/rke2-runtime:" + v.ImageTag()
}

// readList gives the images of a list under docker.io, where a node looks for them
// and the archives have them, whatever registry a list for customers names (k3s
// .github/workflows/release.yml).
func readList(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	bad := func(have string, need string) error {
		return Unreadable.New("cannot use the list of images %s: have %s, need %s", filepath.Base(path), have, need).
			Hint("take the vendor's file again: it lies beside the archives of the release")
	}
	var out []string
	s := bufio.NewScanner(io.LimitReader(f, int64(maxList)))
	for s.Scan() {
		line := strings.TrimSpace(s.Text())
		if line == "" {
			continue
		}
		host, rest, ok := strings.Cut(line, "/")
		if !ok || !strings.ContainsAny(host, ".:") || strings.ContainsAny(line, " <>") {
			return nil, bad(fmt.Sprintf("the line %.80q", line), "a full image reference on each")
		}
		out = append(out, "docker.io/"+rest)
	}
	if err := s.Err(); err != nil {
		return nil, bad(err.Error(), "lines of text")
	}
	if len(out) == 0 {
		return nil, bad("no image in it", "those of the archive")
	}
	return out, nil
}
