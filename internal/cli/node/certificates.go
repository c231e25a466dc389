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

// certificateDirs are where a node's certificates are, with their folders below.
var certificateDirs = []string{"etc/kubernetes/pki", "var/lib/kubelet/pki"}

// rotated is a certificate that the kubelet keeps under the date it got it; the
// one in use is kubelet-client-current.pem.
var rotated = regexp.MustCompile(`^kubelet-(client|server)-[0-9].*\.pem$`)

// soonest is the certificate that ends first; no name means that there is none.
// Of each file only the certificates' ends are looked at.
func soonest(root string) (name string, until time.Time, err error) {
	tree := os.DirFS(root)
	for _, dir := range certificateDirs {
		err := fs.WalkDir(tree, dir, func(p string, d fs.DirEntry, err error) error {
			base := path.Base(p)
			switch {
			case os.IsNotExist(err):
				return nil
			case err != nil:
				return err
			case d.IsDir() || rotated.MatchString(base) || !strings.HasSuffix(base, ".crt") && !strings.HasSuffix(base, ".pem"):
				return nil
			}
			ends, err := endOf(filepath.Join(root, p))
			if err != nil {
				return fmt.Errorf("/%s: %w", p, err)
			}
			if !ends.IsZero() && (until.IsZero() || ends.Before(until)) {
				name, until = strings.TrimPrefix(p, dir+"/"), ends
			}
			return nil
		})
		if err != nil {
			return "", time.Time{}, err
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
