package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/rancher/wharfie/pkg/extract"
	theirs "github.com/rancher/wharfie/pkg/registries"
	"github.com/rancher/wharfie/pkg/tarfile"

	"caisson.dev/caisson/profiles/rancher/archive"
	"caisson.dev/caisson/profiles/rancher/registries"
)

func (p *Program) imagesDir() string { return p.data("agent/images") }

// stageRuntime is RKE2's first reader: the runtime image out of an archive,
// by wharfie. Without it the real program pulls, in the end from docker.io. This
// one refuses to start, and never says that it pulls.
func (p *Program) stageRuntime(context.Context) error {
	if p.Product != "rke2" {
		return nil
	}
	ref, err := name.NewTag("index.docker.io/rancher/rke2-runtime:" + p.version.ImageTag())
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(ref.Name()))
	dir := p.data("data", p.version.ImageTag()+"-"+hex.EncodeToString(sum[:])[:12])
	if _, err := os.Stat(filepath.Join(dir, ".extracted")); err == nil {
		p.say("Runtime image %s bin and charts directories already exist; skipping extract", ref.Name())
		return p.linkBin(dir)
	}
	img, err := tarfile.FindImage(p.imagesDir(), ref)
	if err != nil {
		return fmt.Errorf("the runtime image is in no archive, and the real program would ask docker.io for it: %w", err)
	}
	dirs := map[string]string{"/bin": filepath.Join(dir, "bin"), "/charts": filepath.Join(dir, "charts")}
	if err := extract.ExtractDirs(img, dirs); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, ".extracted"), nil, 0o600); err != nil {
		return err
	}
	return p.linkBin(dir)
}

// linkBin points <data>/bin at the runtime's programs.
func (p *Program) linkBin(dir string) error {
	link := p.data("bin")
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	to, err := filepath.Rel(filepath.Dir(link), filepath.Join(dir, "bin"))
	if err != nil {
		return err
	}
	return os.Symlink(to, link)
}

// importImages is the second reader, of both products: what containerd
// would import, by name. An error stops nothing there; strictly, it does.
func (p *Program) importImages(context.Context) error {
	p.say("containerd is now running (nothing runs: this is a stand-in)")
	entries, err := os.ReadDir(p.imagesDir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	seen := false
	for _, e := range entries {
		file := filepath.Join(p.imagesDir(), e.Name())
		switch {
		case e.IsDir() || strings.HasPrefix(e.Name(), "."):
			continue
		case strings.HasSuffix(e.Name(), ".txt"):
			if err := p.broken("%s is a list of images that would be pulled", file); err != nil {
				return err
			}
			continue
		case !slices.ContainsFunc(tarfile.SupportedExtensions, func(x string) bool { return strings.HasSuffix(e.Name(), x) }):
			continue // as the newer watcher does: case counts, and other names do not
		}
		begin := time.Now()
		found, err := archive.Scan(file)
		if err != nil {
			if err := p.broken("Failed to process image event: failed to import %s: %v", file, err); err != nil {
				return err
			}
			continue
		}
		seen = true
		for _, ref := range found.Containerd {
			p.say("Imported %s", ref)
		}
		p.archive = append(p.archive, found.Containerd...)
		p.say("Imported %d images from %s in %s", len(found.Containerd), file, time.Since(begin).Round(time.Millisecond))
	}
	if !seen {
		return p.broken("have no image archive in %s", p.imagesDir())
	}
	return nil
}

// broken is what the real program says and lives with: strictly it is the end.
func (p *Program) broken(format string, args ...any) error {
	p.say("level=error msg=%q", fmt.Sprintf(format, args...))
	if p.Lax {
		return nil
	}
	return fmt.Errorf(format, args...)
}

// readRegistries reads registries.yaml by wharfie and writes certs.d as the
// products do. Strictly, a key that wharfie drops and an endpoint outside
// the file's own mirrors end it.
func (p *Program) readRegistries(context.Context) error {
	file := p.path(p.keys.text("private-registry", registries.Path(p.Product)))
	if _, err := theirs.GetPrivateRegistries(file); err != nil {
		return err
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return p.broken("have no registries.yaml: every image would be asked for outside: %v", err)
	}
	found, err := registries.Parse(raw)
	if err != nil {
		return p.broken("%v", err)
	}
	tree := registries.TreeOf(p.Product, found, p.keys.yes("disable-default-registry-endpoint"))
	dir := p.data("agent/etc/containerd/certs.d")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for host, text := range tree {
		if err := put(filepath.Join(dir, host, "hosts.toml"), text, 0o600); err != nil {
			return err
		}
	}
	var inside []string
	for _, m := range found.Mirrors {
		inside = append(inside, m.Endpoint...)
	}
	for _, host := range []string{"docker.io", "registry.k8s.io", "quay.io", "not.carried.example"} {
		for _, url := range tree.Endpoints(host, registries.Rancher) {
			if !slices.ContainsFunc(inside, func(in string) bool { return strings.HasPrefix(url, strings.TrimRight(in, "/")) }) {
				if err := p.broken("images of %s would be asked for at %s, which is no mirror of registries.yaml", host, url); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// put writes a file, its folders first.
func put(path string, text []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(path, text, mode); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}
