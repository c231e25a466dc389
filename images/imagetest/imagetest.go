// Package imagetest is for tests of registry engines: a store of blobs with one
// image of each sort that an engine must serve, and a client that pulls all of
// it and compares. The images come from go-containerregistry, so that
// somebody else's code writes what ours must read; they are the same at every
// run. No program links it.
package imagetest

import (
	"bytes"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/digest"
)

// Dir is a folder of blobs, <dir>/<hex>, as images.StoreDir is on a node.
type Dir string

// Open reads a blob.
func (d Dir) Open(b digest.Digest) (io.ReadCloser, error) { return os.Open(d.Path(b)) }

// Size is a blob's size in bytes.
func (d Dir) Size(b digest.Digest) (int64, error) {
	info, err := os.Stat(d.Path(b))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Path is where a blob lies.
func (d Dir) Path(b digest.Digest) string { return filepath.Join(string(d), b.Hex()) }

// Put writes a blob.
func (d Dir) Put(raw []byte) (digest.Digest, error) {
	b := digest.Of(raw)
	return b, os.WriteFile(d.Path(b), raw, 0o644)
}

// Fill writes one image of each sort and returns their entries: an OCI image
// under two tags, another that shares its layers under a host with a port and a
// long path, a multi-architecture index, one with an absent child, Docker's
// schema 2 image and list, an image with no tag, a signature tag, and a
// referrer that only its digest names.
func Fill(d Dir) ([]bundle.ImageEntry, error) {
	m := maker{dir: d, rnd: rand.NewSource(1)}
	layers := m.layers(types.OCILayer, 2)
	oci := m.image(types.OCIManifestSchema1, types.OCIConfigJSON, layers...)
	m.entry("docker.io/library/oci:1", oci)
	m.entry("docker.io/library/oci:same", oci)
	shared := m.image(types.OCIManifestSchema1, types.OCIConfigJSON, append(layers, m.layers(types.OCILayer, 1)...)...)
	m.entry("reg.local:5000/deep/er/name.v2:v1", shared)
	m.entry("registry.k8s.io/multi:1", m.index(types.OCIImageIndex, false,
		m.image(types.OCIManifestSchema1, types.OCIConfigJSON, m.layers(types.OCILayer, 1)...),
		m.image(types.OCIManifestSchema1, types.OCIConfigJSON, m.layers(types.OCILayer, 1)...)))
	m.entry("registry.k8s.io/sparse:1", m.index(types.OCIImageIndex, true,
		m.image(types.OCIManifestSchema1, types.OCIConfigJSON, m.layers(types.OCILayer, 1)...),
		m.image(types.OCIManifestSchema1, types.OCIConfigJSON, m.layers(types.OCILayer, 1)...)))
	docker := m.image(types.DockerManifestSchema2, types.DockerConfigJSON, m.layers(types.DockerLayer, 2)...)
	m.entry("quay.io/docker/image:2", docker)
	m.entry("quay.io/docker/list:2", m.index(types.DockerManifestList, false, docker,
		m.image(types.DockerManifestSchema2, types.DockerConfigJSON, m.layers(types.DockerLayer, 1)...)))
	pinned := m.image(types.OCIManifestSchema1, types.OCIConfigJSON, m.layers(types.OCILayer, 1)...)
	m.entry("quay.io/pinned/only@"+m.digest(pinned), pinned)
	sig := m.image(types.OCIManifestSchema1, types.OCIConfigJSON, m.layers(types.OCILayer, 1)...)
	m.entry("quay.io/docker/image:sha256-"+digest.Digest(m.digest(docker)).Hex()+".sig", sig)
	referrer := m.referrer(oci)
	m.entry("docker.io/library/oci@"+m.digest(referrer), referrer)
	return m.entries, m.err
}

// maker keeps the first error.
type maker struct {
	dir     Dir
	rnd     rand.Source
	entries []bundle.ImageEntry
	err     error
}

func (m *maker) fail(err error) {
	if m.err == nil && err != nil {
		m.err = err
	}
}

func (m *maker) layers(mt types.MediaType, n int) []v1.Layer {
	var out []v1.Layer
	for range n {
		l, err := random.Layer(40_000, mt, random.WithSource(m.rnd))
		m.fail(err)
		out = append(out, l)
	}
	return out
}

func (m *maker) image(manifest, config types.MediaType, layers ...v1.Layer) v1.Image {
	img, err := mutate.AppendLayers(mutate.ConfigMediaType(mutate.MediaType(empty.Image, manifest), config), layers...)
	m.fail(err)
	return img
}

func (m *maker) referrer(subject v1.Image) v1.Image {
	desc, err := partial.Descriptor(subject)
	m.fail(err)
	img, ok := mutate.Subject(m.image(types.OCIManifestSchema1, "application/vnd.example.sbom+json", m.layers(types.OCILayer, 1)...), *desc).(v1.Image)
	if !ok {
		m.fail(fmt.Errorf("the image with a subject is not an image"))
	}
	return img
}

// index lists the images as linux/amd64, linux/arm64; sparse leaves the last
// one's blobs out of the store.
func (m *maker) index(mt types.MediaType, sparse bool, list ...v1.Image) v1.ImageIndex {
	idx := mutate.IndexMediaType(empty.Index, mt)
	for i, img := range list {
		arch := []string{"amd64", "arm64"}[i]
		idx = mutate.AppendManifests(idx, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
		if !sparse || i == 0 {
			m.write(img)
		}
	}
	return idx
}

type manifest interface {
	RawManifest() ([]byte, error)
	MediaType() (types.MediaType, error)
}

func (m *maker) digest(x manifest) string {
	raw, err := x.RawManifest()
	m.fail(err)
	return string(digest.Of(raw))
}

func (m *maker) entry(ref string, x manifest) {
	m.write(x)
	raw, err := x.RawManifest()
	m.fail(err)
	mt, err := x.MediaType()
	m.fail(err)
	m.entries = append(m.entries, bundle.ImageEntry{Ref: ref, MediaType: string(mt), Digest: digest.Of(raw), Size: int64(len(raw))})
}

// write puts the manifest, and an image's config and layers, into the store.
func (m *maker) write(x manifest) {
	raw, err := x.RawManifest()
	m.fail(err)
	m.put(raw)
	img, ok := x.(v1.Image)
	if !ok {
		return
	}
	config, err := img.RawConfigFile()
	m.fail(err)
	m.put(config)
	layers, err := img.Layers()
	m.fail(err)
	for _, l := range layers {
		r, err := l.Compressed()
		m.fail(err)
		if err != nil {
			return
		}
		var b bytes.Buffer
		_, err = b.ReadFrom(r)
		m.fail(err)
		m.put(b.Bytes())
	}
}

func (m *maker) put(raw []byte) {
	_, err := m.dir.Put(raw)
	m.fail(err)
}
