package node

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// rotated is a certificate that the kubelet keeps under the date it got it; the
// one in use is kubelet-client-current.pem.
var rotated = regexp.MustCompile(`^kubelet-(client|server)-[0-9].*\.pem$`)

// soonest is the certificate that ends first, of the files that the patterns find;
// no name means that there is none. Of each file only the certificates' ends are
// looked at. The name is what stands behind the pattern's fixed folders.
func soonest(root string, patterns []string) (name string, until time.Time, err error) {
	tree := os.DirFS(root)
	for _, pattern := range patterns {
		pattern = strings.TrimPrefix(pattern, "/")
		fixed, _, _ := strings.Cut(pattern, "*")
		files, err := fs.Glob(tree, pattern)
		if err != nil {
			return "", time.Time{}, err
		}
		for _, p := range files {
			if rotated.MatchString(path.Base(p)) {
				continue
			}
			ends, err := endOf(filepath.Join(root, p))
			if err != nil {
				return "", time.Time{}, fmt.Errorf("/%s: %w", p, err)
			}
			if !ends.IsZero() && (until.IsZero() || ends.Before(until)) {
				name, until = strings.TrimPrefix(p, fixed), ends
			}
		}
	}
	return name, until, nil
}

// endOf is when the first of a file's certificates ends; zero if it holds none.
func endOf(file string) (time.Time, error) {
	rest, err := os.ReadFile(file)
	if err != nil {
		return time.Time{}, err
	}
	var ends time.Time
	for {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			return ends, nil
		}
		if b.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return time.Time{}, err
		}
		if ends.IsZero() || c.NotAfter.Before(ends) {
			ends = c.NotAfter
		}
	}
}
