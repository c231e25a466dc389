package archive_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/profiles/rancher/archive"
	"caisson.dev/caisson/profiles/rancher/release"
)

// TestCheckRelease: what the vendor's lists name must be in the archives.
func TestCheckRelease(t *testing.T) {
	const core, canal = "rke2/rke2-images-core.linux-amd64", "rke2/rke2-images-canal.linux-amd64"
	for _, c := range []struct {
		what, tag string
		change    map[string]string // artifact -> its bytes
		code      fault.Kind        // zero: good
		says      string
	}{
		{what: "RKE2", tag: "v1.36.3+rke2r1"},
		{what: "K3s", tag: "v1.36.2+k3s1"},
		{what: "a list for customers", tag: "v1.36.2+k3s1", change: map[string]string{"k3s/k3s-images.txt": "registry.example:5000/rancher/mirrored-pause:3.6\r\n\n"}},
		{what: "an image of the network", tag: "v1.36.3+rke2r1", change: map[string]string{canal + ".txt": "docker.io/rancher/hardened-calico:v1\ndocker.io/rancher/hardened-flannel:v1\n"},
			code: archive.Missing, says: "docker.io/rancher/hardened-flannel:v1: have it in none of the archives (rke2-images-core.linux-amd64.tar, rke2-images-canal.linux-amd64.tar)"},
		{what: "an image of K3s", tag: "v1.36.2+k3s1", change: map[string]string{"k3s/k3s-images.txt": "docker.io/rancher/klipper-lb:v1\n"}, code: archive.Missing, says: "klipper-lb:v1"},
		{what: "the runtime, in no list", tag: "v1.36.4+rke2r1", code: archive.Missing, says: "rke2-runtime:v1.36.4-rke2r1"},
		{what: "a page in place of a list", tag: "v1.36.3+rke2r1", change: map[string]string{core + ".txt": "<html>\n"}, code: archive.Unreadable, says: `rke2-images-core.linux-amd64.txt: have the line "<html>"`},
		{what: "an empty list", tag: "v1.36.3+rke2r1", change: map[string]string{core + ".txt": "\n"}, code: archive.Unreadable, says: "no image in it"},
	} {
		files := map[string]string{
			core + ".tar": string(dockerArchive(t, runtimeRef, pauseRef)), core + ".txt": "docker.io/" + runtimeRef + "\n" + pauseRef + "\n",
			canal + ".tar": string(dockerArchive(t, "docker.io/rancher/hardened-calico:v1")), canal + ".txt": "docker.io/rancher/hardened-calico:v1\n",
			"k3s/k3s-airgap-images-amd64.tar": string(dockerArchive(t, pauseRef)), "k3s/k3s-images.txt": pauseRef + "\n",
		}
		for name, data := range c.change {
			files[name] = data
		}
		product, cni := release.RKE2, []string{"canal"}
		if strings.Contains(c.tag, "k3s") {
			product, cni = release.K3s, nil
		}
		v, err := release.Parse(product, c.tag)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		err = archive.CheckRelease(release.Choice{Version: v, Arch: "amd64", CNI: cni, Ingress: []string{"none"}}, func(artifact string) (string, error) {
			// Compression is Scan's to test.
			name := strings.TrimSuffix(artifact, ".zst")
			at := filepath.Join(dir, filepath.Base(name))
			data, ok := files[name]
			if !ok {
				t.Errorf("%s: asks for %s", c.what, artifact)
			}
			return at, os.WriteFile(at, []byte(data), 0o600)
		})
		if c.code.Code == "" && err != nil || c.code.Code != "" && (!c.code.Is(err) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: have %v, need %s with %q", c.what, err, c.code.Code, c.says)
		}
	}
}
