package folder

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	store "caisson.dev/caisson/bundle"
	sha "caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/standin"
	"caisson.dev/caisson/profiles/rancher/archive"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/sources"
)

// TestMake: the folder has every file that a Spec may want, each as its checksum
// file says, each with the mark that the build refuses, and RKE2's bundle and
// archives are what those that read the vendor's take.
func TestMake(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles two programs")
	}
	dir := t.TempDir()
	for product, tag := range map[release.Product]string{release.RKE2: "v1.31.14+rke2r1", release.K3s: "v1.36.2+k3s1"} {
		v, err := release.Parse(product, tag)
		if err != nil {
			t.Fatal(err)
		}
		if err := Make(t.Context(), "../../..", dir, v, "amd64"); err != nil {
			t.Fatal(err)
		}
		sums, err := os.ReadFile(filepath.Join(dir, tag, "sha256sum-amd64.txt"))
		if err != nil {
			t.Fatal(err)
		}
		taken(t, dir, release.Choice{Version: v, Arch: "amd64", CNI: everything(v, "amd64")[0].CNI, Ingress: []string{"traefik"}, Path: "."})
		for _, c := range everything(v, "amd64") {
			files, err := c.Files()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files[:len(files)-1] {
				look(t, filepath.Join(dir, tag, f.Name), f, string(sums))
			}
		}
	}
	needs := []archive.Need{{Ref: "docker.io/rancher/rke2-runtime:v1.31.14-rke2r1", Runtime: true}, {Ref: "rancher/mirrored-pause:3.6"}, {Ref: "docker.io/rancher/hardened-flannel:v1.31.14-rke2r1-stand-in"}}
	at := filepath.Join(dir, "v1.31.14+rke2r1")
	if err := archive.Check([]string{filepath.Join(at, "rke2-images-core.linux-amd64.tar.zst"), filepath.Join(at, "rke2-images-canal.linux-amd64.tar.zst")}, needs); err != nil {
		t.Error(err)
	}
	if err := archive.Check([]string{filepath.Join(dir, "v1.36.2+k3s1/k3s-airgap-images-amd64.tar.zst")}, needs[1:2]); err != nil {
		t.Error(err)
	}
	said, err := exec.Command(filepath.Join(dir, "v1.36.2+k3s1/k3s"), "--version").Output()
	if err != nil || !strings.HasPrefix(string(said), "k3s version v1.36.2+k3s1 (stand-in)\n") {
		t.Errorf("have %q, %v", said, err)
	}
}

func look(t *testing.T, path string, f release.File, sums string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if line := fmt.Sprintf("%x  %s\n", sha256.Sum256(data), f.Name); !strings.Contains(sums, line) {
		t.Errorf("the checksum file has no line %s", line)
	}
	if is, err := standin.In(bytes.NewReader(data), f.Name); !is || err != nil {
		t.Errorf("%s has no mark: %v", f.Name, err)
	}
	if f.Kind != release.Bundle {
		return
	}
	var have []string
	err = release.Unpack(bytes.NewReader(data), func(m release.Member, _ int64, body io.Reader) error {
		b, err := io.ReadAll(body)
		if !bytes.Contains(b, []byte(standin.Mark)) && m.Name != "bin/rke2" {
			t.Errorf("%s has no mark", m.Name)
		}
		if m.Name == "lib/systemd/system/rke2-agent.service" {
			for _, want := range []string{"Conflicts=rke2-server.service\n", "nm-cloud-setup", "ExecStart=/usr/local/bin/rke2 agent\n", "TimeoutStartSec=0\n"} {
				if !strings.Contains(string(b), want) {
					t.Errorf("the unit has no %q:\n%s", want, b)
				}
			}
		}
		have = append(have, m.Name)
		return err
	})
	if err != nil || len(have) != len(release.Members()) || !slices.Contains(have, "bin/rke2") {
		t.Errorf("have %v, %v", have, err)
	}
}

// taken has the very code of lock and pull take the files out of the folder, each
// bound to the checksum file.
func taken(t *testing.T, dir string, c release.Choice) {
	t.Helper()
	wants, err := c.Wants()
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := store.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	src := sources.In(blobs, dir)
	quiet := func(string, int64, int64) {}
	lock, err := store.Resolve(t.Context(), sha.Of(nil), 1, wants, nil, src, quiet)
	if err != nil {
		t.Fatal(err)
	}
	got, err := store.Collect(t.Context(), lock, src, blobs, quiet)
	if err != nil || len(got) != len(wants) {
		t.Errorf("have %d of %d files: %v", len(got), len(wants), err)
	}
}
