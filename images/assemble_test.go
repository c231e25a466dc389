package images_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/internal/golden"
)

const epoch = 1_760_000_000

var proxy = images.Recipe{
	Ref: "registry.k8s.io/kube-proxy:v1.37.2",
	Layers: []images.Layer{
		{Packages: "nft"},
		{Files: []images.LayerFile{{Artifact: "kubernetes/kube-proxy", Path: "/bin/kube-proxy", Mode: 0o755}}},
	},
	Entrypoint: []string{"/bin/kube-proxy"},
	Env:        []string{"PATH=/usr/sbin:/usr/bin"},
	User:       "0",
}

// open reads an entry back through go-containerregistry, and has it judged.
func open(t *testing.T, dir string, e bundle.ImageEntry) v1.Image {
	t.Helper()
	index, oci := images.Index([]bundle.ImageEntry{e})
	for name, raw := range map[string][]byte{"index.json": index, "oci-layout": oci} {
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	path, err := layout.FromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := v1.NewHash(string(e.Digest))
	if err != nil {
		t.Fatal(err)
	}
	img, err := path.Image(hash)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(img, validate.Fast); err != nil {
		t.Fatal(err)
	}
	judgeLayers(t, img)
	return img
}

// judgeLayers holds each layer against the config's DiffIDs; validate.Image
// does that for gzip only.
func judgeLayers(t *testing.T, img v1.Image) {
	t.Helper()
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	layers, err := img.Layers()
	if err != nil || len(layers) != len(config.RootFS.DiffIDs) {
		t.Fatalf("have %d layers (%v), want %d", len(layers), err, len(config.RootFS.DiffIDs))
	}
	for i, l := range layers {
		r, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		have, _, err := v1.SHA256(r)
		if err != nil || have != config.RootFS.DiffIDs[i] {
			t.Errorf("layer %d: have diff ID %s (%v), want %s", i, have, err, config.RootFS.DiffIDs[i])
		}
	}
}

func TestAssemble(t *testing.T) {
	s, dir := newStore(t)
	e, err := images.Assemble(context.Background(), proxy, inputs(t, s), s, epoch)
	if err != nil {
		t.Fatal(err)
	}
	img := open(t, dir, e)
	var b bytes.Buffer
	config, err := img.RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := img.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "%s\n%s", manifest, config)
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		b.WriteString(layerLines(t, l))
	}
	golden.Equal(t, "assemble.golden", b.Bytes())
	if e.Total <= e.Size {
		t.Errorf("have total %d, want more than the manifest's %d", e.Total, e.Size)
	}
}

// layerLines is a layer as readable lines.
func layerLines(t *testing.T, l v1.Layer) string {
	t.Helper()
	r, err := l.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	out := "layer\n"
	for tr := tar.NewReader(r); ; {
		hdr, err := tr.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if hdr.ModTime.Unix() != epoch || hdr.Uid+hdr.Gid != 0 || hdr.Uname+hdr.Gname != "" {
			t.Errorf("%s: have %v, owner %d:%d %s:%s", hdr.Name, hdr.ModTime, hdr.Uid, hdr.Gid, hdr.Uname, hdr.Gname)
		}
		out += fmt.Sprintf("  %c %04o %6d %s", hdr.Typeflag, hdr.Mode, hdr.Size, hdr.Name)
		if hdr.Linkname != "" {
			out += " -> " + hdr.Linkname
		}
		out += "\n"
	}
}

// TestAssembleIsReproducible: another store, another order, the same digest;
// and the second time in one store nothing is made again.
func TestAssembleIsReproducible(t *testing.T) {
	var digests []string
	for range 2 {
		s, dir := newStore(t)
		in := inputs(t, s)
		slices.Reverse(in.Packages["nft"])
		var first map[string]int64
		for range 2 {
			e, err := images.Assemble(context.Background(), proxy, in, s, epoch)
			if err != nil {
				t.Fatal(err)
			}
			digests = append(digests, string(e.Digest))
			if have := inodes(t, dir); first != nil && !maps.Equal(first, have) {
				t.Errorf("blobs were written again: %v, then %v", first, have)
			} else {
				first = have
			}
		}
	}
	if len(slices.Compact(digests)) != 1 {
		t.Errorf("have digests %v, want one", digests)
	}
	s, _ := newStore(t)
	if e, err := images.Assemble(context.Background(), proxy, inputs(t, s), s, epoch+1); err != nil || string(e.Digest) == digests[0] {
		t.Errorf("another epoch: have %s (%v), want another digest", e.Digest, err)
	}
}

func inodes(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	list, err := os.ReadDir(filepath.Join(dir, "blobs", "sha256"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = info.ModTime().UnixNano()
	}
	return out
}

func TestAssembleRefuses(t *testing.T) {
	s, _ := newStore(t)
	in := inputs(t, s)
	file := func(artifact, path string) []images.Layer {
		return []images.Layer{{Files: []images.LayerFile{{Artifact: artifact, Path: path}}}}
	}
	twice := put(t, s, "clash/b", debOf(t, []debFile{{name: "usr/sbin/nft", kind: tar.TypeReg, mode: 0o755, data: "other"}}))
	below := put(t, s, "below/b", debOf(t, []debFile{{name: "usr/sbin/nft/x", kind: tar.TypeReg, mode: 0o755, data: "other"}}))
	white := put(t, s, "white/b", debOf(t, []debFile{{name: "usr/.wh.lib", kind: tar.TypeReg, mode: 0o755}}))
	in.Packages["clash"] = append(slices.Clone(in.Packages["nft"]), twice)
	in.Packages["below"] = append(slices.Clone(in.Packages["nft"]), below)
	in.Packages["white"] = []bundle.Artifact{white}
	for _, c := range []struct {
		summary string
		ref     string
		layers  []images.Layer
		want    string
	}{
		{"no tag to serve it under", "a.b/c@sha256:" + strings.Repeat("0", 64), file("kubernetes/kube-proxy", "/x"), "IMAGE-REF-INVALID"},
		{"no layers", "a.b/c:1", nil, "IMAGE-RECIPE-INVALID"},
		{"a layer of nothing", "a.b/c:1", []images.Layer{{}}, "IMAGE-RECIPE-INVALID"},
		{"an unknown artifact", "a.b/c:1", file("kubernetes/other", "/x"), "IMAGE-RECIPE-INVALID"},
		{"a relative path", "a.b/c:1", file("kubernetes/kube-proxy", "x"), "IMAGE-RECIPE-INVALID"},
		{"a path that climbs", "a.b/c:1", file("kubernetes/kube-proxy", "/../x"), "IMAGE-RECIPE-INVALID"},
		{"a whiteout", "a.b/c:1", file("kubernetes/kube-proxy", "/.wh.x"), "IMAGE-RECIPE-INVALID"},
		{"two files at one path", "a.b/c:1", []images.Layer{{Files: []images.LayerFile{
			{Artifact: "kubernetes/kube-proxy", Path: "/x"}, {Artifact: "kubernetes/kube-proxy", Path: "/x"}}}}, "IMAGE-RECIPE-INVALID"},
		{"a file below a file", "a.b/c:1", []images.Layer{{Files: []images.LayerFile{
			{Artifact: "kubernetes/kube-proxy", Path: "/x"}, {Artifact: "kubernetes/kube-proxy", Path: "/x/y"}}}}, "IMAGE-RECIPE-INVALID"},
		{"unknown packages", "a.b/c:1", []images.Layer{{Packages: "other"}}, "IMAGE-RECIPE-INVALID"},
		{"two packages with one file", "a.b/c:1", []images.Layer{{Packages: "clash"}}, "IMAGE-PACKAGE-REFUSED"},
		{"a package file below another's file", "a.b/c:1", []images.Layer{{Packages: "below"}}, "IMAGE-PACKAGE-REFUSED"},
		{"a package file that deletes", "a.b/c:1", []images.Layer{{Packages: "white"}}, "IMAGE-PACKAGE-REFUSED"},
	} {
		t.Run(c.summary, func(t *testing.T) {
			_, err := images.Assemble(context.Background(), images.Recipe{Ref: c.ref, Layers: c.layers}, in, s, epoch)
			if err == nil || !strings.HasPrefix(err.Error(), c.want+": ") {
				t.Errorf("have %v, want %s", err, c.want)
			}
		})
	}
}
