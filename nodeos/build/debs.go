package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"caisson.dev/caisson/bundle"
)

// localArchive makes a flat Debian archive of the packages in dir (a folder with
// a Packages index, deb822(5)) and returns their names, sorted: the one order in
// which they are asked for. apt may trust it without a signature, because the
// Store checked every package against the Lock's digest.
func localArchive(ctx context.Context, dir string, debs []bundle.Artifact, store *bundle.Store) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var names []string
	var index bytes.Buffer
	for _, d := range debs {
		file := d.Digest.Hex() + ".deb"
		if err := linkOrCopy(store.Path(d.Digest), filepath.Join(dir, file)); err != nil {
			return nil, err
		}
		stanza, err := command(ctx, "dpkg-deb", "--field", filepath.Join(dir, file)).Output()
		if err != nil {
			return nil, buildFailed.New("cannot read the package %s: %w", d.Name, err)
		}
		name, text, err := indexEntry(string(stanza), file, d)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
		index.WriteString(text)
	}
	slices.Sort(names)
	if twice := repeated(names); twice != "" {
		return nil, inputMissing.New("cannot build the node OS: have the package %s twice, need one version of each", twice)
	}
	return names, os.WriteFile(filepath.Join(dir, "Packages"), index.Bytes(), 0o644)
}

// indexEntry is a package's entry in the index: its control fields as they are,
// and where its bytes lie. name is the package's name.
func indexEntry(control, file string, d bundle.Artifact) (name, text string, err error) {
	for line := range strings.Lines(control) {
		if v, ok := strings.CutPrefix(line, "Package:"); ok {
			name = strings.TrimSpace(v)
		}
	}
	if name == "" || strings.Contains(control, "\n\n") {
		return "", "", buildFailed.New("cannot read the package %s: have no name in its control file, need one", d.Name)
	}
	return name, fmt.Sprintf("%s\nFilename: ./%s\nSize: %d\nSHA256: %s\n\n", strings.TrimRight(control, "\n"), file, d.Size, d.Digest.Hex()), nil
}

func repeated(sorted []string) string {
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return sorted[i]
		}
	}
	return ""
}

// linkOrCopy makes to a second name of from, or a copy where the file system
// has no links across: it is only read.
func linkOrCopy(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}
