// Package folder makes a folder of releases out of stand-ins, in the form that
// the vendors publish theirs: RKE2's bundle, image archives with tiny images
// under the names of the real ones, K3s's program, the lists of images, and the checksum file. A Spec
// takes it as kubernetes.release: {path: ...}. Every file for a node has the mark
// that the build refuses (internal/standin).
package folder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/spec"
)

// everything is each choice that a Spec can make, so that one folder serves all.
func everything(v release.Version, arch string) []release.Choice {
	if v.Product == release.K3s {
		return []release.Choice{{Version: v, Arch: arch, Ingress: []string{"traefik"}}}
	}
	var out []release.Choice
	for _, cni := range []string{"canal", "calico", "cilium", "flannel"} {
		out = append(out, release.Choice{Version: v, Arch: arch, CNI: []string{spec.Multus, cni}, Ingress: []string{"traefik", "ingress-nginx"}})
	}
	return out
}

// Make makes dir/VERSION. source is the root of Caisson's own source, which the
// programs are built from.
func Make(ctx context.Context, source, dir string, v release.Version, arch string) error {
	program, err := build(ctx, source, v, arch)
	if err != nil {
		return err
	}
	at := filepath.Join(dir, v.String())
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	var sums bytes.Buffer
	done := map[string]bool{}
	for _, c := range everything(v, arch) {
		files, err := c.Files()
		if err != nil {
			return err
		}
		lists, err := c.Lists()
		if err != nil {
			return err
		}
		for _, f := range append(files, lists...) {
			if done[f.Name] || f.Kind == release.Checksums {
				continue
			}
			done[f.Name] = true
			data, mode, err := content(f, v, arch, program)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(at, f.Name), data, mode); err != nil {
				return err
			}
			if f.Kind == release.List && v.Product == release.K3s {
				continue // as K3s's own (k3s .github/workflows/release.yml)
			}
			fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), f.Name)
		}
	}
	return os.WriteFile(filepath.Join(at, "sha256sum-"+arch+".txt"), sums.Bytes(), 0o644)
}

func content(f release.File, v release.Version, arch string, program []byte) ([]byte, fs.FileMode, error) {
	switch f.Kind {
	case release.Program:
		return program, 0o755, nil
	case release.Bundle:
		b, err := bundle(v, program)
		return b, 0o644, err
	case release.Images:
		b, err := Archive(f.Name, v, arch)
		return b, 0o644, err
	case release.List:
		return []byte(strings.Join(names(f.Name, v), "\n") + "\n"), 0o644, nil
	}
	return nil, 0, fmt.Errorf("cannot make %s: have kind %s, need a program, bundle, archive or list", f.Name, f.Kind)
}

// build compiles the stand-in for a release: static, and the same each time.
func build(ctx context.Context, source string, v release.Version, arch string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "caisson-stand-in-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, string(v.Product))
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version="+v.String(), "-o", out, "./qemu-tests/standin/"+string(v.Product))
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("cannot build the stand-in: %w\n%s", err, strings.TrimSpace(string(said)))
	}
	return os.ReadFile(out)
}
