package folder

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/klauspost/compress/zstd"

	"caisson.dev/caisson/internal/standin"
	"caisson.dev/caisson/profiles/rancher/release"
)

// names are the images of each of RKE2's archives (8.1, from 1.36 on; 8.2) and of
// K3s's one. Tags that were not read there for a version are made up:
// what is on board is found by looking into the archive.
func names(file string, v release.Version) []string {
	group := strings.TrimPrefix(strings.SplitN(file, ".", 2)[0], "rke2-images-")
	if v.Product == release.K3s {
		group = "k3s"
	}
	list := map[string]string{
		"core":  "rke2-runtime hardened-kubernetes hardened-coredns hardened-cluster-autoscaler hardened-dns-node-cache hardened-etcd hardened-k8s-metrics-server hardened-addon-resizer klipper-helm klipper-lb mirrored-pause rke2-cloud-provider",
		"canal": "hardened-calico hardened-flannel", "calico": "mirrored-calico-operator mirrored-calico-node", "flannel": "hardened-flannel hardened-cni-plugins", "multus": "hardened-multus-cni hardened-cni-plugins",
		"cilium":  "mirrored-cilium-cilium mirrored-cilium-operator-generic hardened-cni-plugins",
		"traefik": "mirrored-library-traefik", "ingress-nginx": "kube-webhook-certgen nginx-ingress-controller",
		"k3s": "klipper-helm klipper-lb local-path-provisioner mirrored-coredns-coredns mirrored-library-busybox mirrored-library-traefik mirrored-metrics-server mirrored-pause",
	}[group]
	if group == "core" && v.Minor >= 36 {
		list += " hardened-traefik hardened-snapshot-controller rke2-security-responder"
	} else if group == "core" {
		list += " nginx-ingress-controller mirrored-ingress-nginx-kube-webhook-certgen mirrored-sig-storage-snapshot-controller"
	}
	var out []string
	for _, n := range strings.Fields(list) {
		tag := v.ImageTag() + "-stand-in"
		switch {
		case n == "rke2-runtime":
			tag = v.ImageTag()
		case n == "mirrored-pause" && v.Product == release.RKE2 && v.Minor >= 36:
			tag = "3.10.2"
		case n == "mirrored-pause":
			tag = "3.6"
		}
		out = append(out, "docker.io/rancher/"+n+":"+tag)
	}
	return out
}

// Archive is RKE2's form (docker-archive, its index first, 1.2) or K3s's (what
// containerd exports, 1.3), compressed within a window of 32 MiB.
func Archive(file string, v release.Version, arch string) ([]byte, error) {
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(8<<20))
	if err != nil {
		return nil, err
	}
	a := &members{t: tar.NewWriter(z), done: map[string]bool{}}
	if v.Product == release.K3s {
		a.layout(names(file, v), arch)
	} else {
		a.docker(names(file, v), arch)
	}
	err = errors.Join(a.err, a.t.Close(), z.Close())
	return out.Bytes(), err
}

type members struct {
	t    *tar.Writer
	done map[string]bool
	err  error
}

func (a *members) put(name string, data []byte) {
	if a.done[name] {
		return
	}
	a.done[name] = true
	err := a.t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg, Format: tar.FormatPAX})
	if err == nil {
		_, err = a.t.Write(data)
	}
	a.err = errors.Join(a.err, err)
}

func (a *members) json(v any) []byte {
	b, err := json.Marshal(v)
	a.err = errors.Join(a.err, err)
	return b
}

// image is one tiny image: a layer with a note in it, for RKE2's runtime below
// the folders that are unpacked, and its config.
func (a *members) image(ref, arch string) (layer, config []byte) {
	var out bytes.Buffer
	l := &members{t: tar.NewWriter(&out), done: map[string]bool{}}
	note := []byte(ref + ": " + standin.Mark + "\n")
	l.put("STAND-IN", note)
	if strings.Contains(ref, "/rke2-runtime:") {
		l.put("bin/STAND-IN", note)
		l.put("charts/STAND-IN", note)
	}
	a.err = errors.Join(a.err, l.err, l.t.Close())
	return out.Bytes(), a.json(map[string]any{
		"architecture": arch, "os": "linux", "config": map[string]any{"Labels": map[string]string{"stand-in": standin.Mark}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{digest(out.Bytes())}},
	})
}

func digest(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }

func hex(b []byte) string { return strings.TrimPrefix(digest(b), "sha256:") }

// docker writes a docker-archive: manifest.json and repositories first.
func (a *members) docker(refs []string, arch string) {
	type entry struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	var index []entry
	repositories := map[string]map[string]string{}
	files := map[string][]byte{}
	var order []string
	for _, ref := range refs {
		layer, config := a.image(ref, arch)
		e := entry{Config: hex(config) + ".json", RepoTags: []string{ref}, Layers: []string{hex(layer) + "/layer.tar"}}
		index = append(index, e)
		files[e.Config], files[e.Layers[0]] = config, layer
		order = append(order, e.Config, e.Layers[0])
		at := strings.LastIndex(ref, ":")
		repositories[ref[:at]] = map[string]string{ref[at+1:]: hex(layer)}
	}
	a.put("manifest.json", a.json(index))
	a.put("repositories", a.json(repositories))
	for _, name := range order {
		a.put(name, files[name])
	}
}

// layout writes an OCI image layout with the names that containerd looks for.
func (a *members) layout(refs []string, arch string) {
	blob := func(b []byte) {
		a.put("blobs/sha256/"+hex(b), b)
	}
	descriptor := func(mediaType string, b []byte) map[string]any {
		return map[string]any{"mediaType": "application/vnd.oci.image." + mediaType, "digest": digest(b), "size": len(b)}
	}
	var list []any
	for _, ref := range refs {
		layer, config := a.image(ref, arch)
		manifest := a.json(map[string]any{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
			"config": descriptor("config.v1+json", config), "layers": []any{descriptor("layer.v1.tar", layer)}})
		blob(layer)
		blob(config)
		blob(manifest)
		d := descriptor("manifest.v1+json", manifest)
		d["annotations"] = map[string]string{"io.containerd.image.name": ref, "org.opencontainers.image.ref.name": ref[strings.LastIndex(ref, ":")+1:]}
		list = append(list, d)
	}
	a.put("index.json", a.json(map[string]any{"schemaVersion": 2, "manifests": list}))
	a.put("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
}
