package debian_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/internal/judge"
)

// archive is a Debian archive of a few packages, made with Debian's own tools
// and signed with a key of its own, behind a real HTTP server.
type archive struct {
	dir     string
	url     string
	keyring string
}

// pkg is a package of the archive.
type pkg struct {
	name, version, fields string
	files                 map[string]string
	links                 map[string]string
}

func newArchive(t *testing.T, packages ...pkg) archive {
	t.Helper()
	for tool, debian := range map[string]string{"apt-get": "apt", "dpkg-deb": "dpkg", "dpkg-scanpackages": "dpkg-dev", "gpg": "gnupg", "gpgconf": "gnupg"} {
		judge.Need(t, tool, debian)
	}
	a := archive{dir: t.TempDir()}
	for _, p := range packages {
		root := filepath.Join(t.TempDir(), p.name)
		control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: m <m@example.com>\n%sDescription: for a test\n", p.name, p.version, p.fields)
		put(t, filepath.Join(root, "DEBIAN/control"), control)
		for path, text := range p.files {
			put(t, filepath.Join(root, path), text)
		}
		for path, to := range p.links {
			put(t, filepath.Join(root, path)+".near", "")
			if err := os.Symlink(to, filepath.Join(root, path)); err != nil {
				t.Fatal(err)
			}
		}
		file := fmt.Sprintf("%s_%s_amd64.deb", p.name, strings.TrimPrefix(p.version, "1:"))
		put(t, filepath.Join(a.dir, "pool", "x"), "")
		run(t, "", "dpkg-deb", "--root-owner-group", "-b", root, filepath.Join(a.dir, "pool", file))
	}
	a.index(t)
	srv := httptest.NewServer(http.FileServer(http.Dir(a.dir)))
	t.Cleanup(srv.Close)
	a.url = srv.URL
	return a
}

// index writes the lists and signs them.
func (a *archive) index(t *testing.T) {
	t.Helper()
	lists := run(t, a.dir, "dpkg-scanpackages", "--multiversion", "pool")
	put(t, filepath.Join(a.dir, "dists/trixie/main/binary-amd64/Packages"), string(lists))
	release := fmt.Sprintf("Origin: test\nSuite: trixie\nCodename: trixie\nDate: %s\nArchitectures: amd64\nComponents: main\nSHA256:\n %x %d main/binary-amd64/Packages\n",
		time.Now().Add(-time.Hour).UTC().Format("Mon, 02 Jan 2006 15:04:05 UTC"), sha256.Sum256(lists), len(lists))
	put(t, filepath.Join(a.dir, "Release"), release)
	home := t.TempDir()
	if err := os.Chmod(home, 0o700); err != nil {
		t.Fatal(err)
	}
	gpg := func(args ...string) []byte {
		return run(t, "", "gpg", append([]string{"--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""}, args...)...)
	}
	gpg("--quick-generate-key", "archive@example.com", "ed25519", "sign", "0")
	a.keyring = filepath.Join(home, "keyring.gpg")
	gpg("--output", a.keyring, "--export")
	gpg("--yes", "--output", filepath.Join(a.dir, "dists/trixie/InRelease"), "--clearsign", filepath.Join(a.dir, "Release"))
	t.Cleanup(func() { _ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run() })
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, errs.String())
	}
	return out.Bytes()
}
