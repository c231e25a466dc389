package oci_test

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/sources/oci"
)

// TestRefusedImages gives layouts whose bytes are as their digests say, and that
// are no images which a node could use.
func TestRefusedImages(t *testing.T) {
	const config = `"config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}`
	for _, c := range []struct {
		name, text string
		mediaType  types.MediaType
		size       int64 // stated, if not that of the text
		kind       fault.Kind
		want       string
	}{
		{"manifest schema 1", "{}", types.DockerManifestSchema1Signed, 0, oci.Unsupported, "have manifest schema 1, need OCI or Docker schema 2"},
		{"a layer elsewhere", `{"schemaVersion":2,` + config + `,"layers":[{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","size":1,
			"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","urls":["https://example.com/l"]}]}`,
			types.OCIManifestSchema1, 0, oci.Unsupported, "that lies elsewhere, need all layers in the image"},
		{"a manifest of gigabytes", "{}", types.OCIManifestSchema1, 1 << 40, oci.Unsupported, "have 1099511627776 bytes, need at most"},
		{"half a manifest", "{", types.OCIManifestSchema1, 0, oci.BadDescriptor, "cannot read manifest sha256:"},
		{"half an index", "{", types.OCIImageIndex, 0, oci.BadDescriptor, "cannot read index sha256:"},
		{"another digest", `{"schemaVersion":2,"config":{"size":2,"digest":"sha512:` + strings.Repeat("ab", 64) + `"},"layers":[]}`,
			types.OCIManifestSchema1, 0, oci.BadDescriptor, "need a sha256 digest and a size"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "layout")
			p := must(layout.Write(dir, empty.Index))(t)
			h, n, err := v1.SHA256(strings.NewReader(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if err := p.WriteBlob(h, io.NopCloser(bytes.NewReader([]byte(c.text)))); err != nil {
				t.Fatal(err)
			}
			if c.size > 0 {
				n = c.size
			}
			if err := p.AppendDescriptor(v1.Descriptor{MediaType: c.mediaType, Digest: h, Size: n,
				Annotations: map[string]string{"org.opencontainers.image.ref.name": "docker.io/library/app:1"}}); err != nil {
				t.Fatal(err)
			}
			_, err = oci.Source{Store: store(t)}.Resolve(t.Context(), want(bundle.ImageWant{Ref: "app:1", Layout: dir}))
			if !c.kind.Is(err) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("have %v, want %s, %q", err, c.kind.Code, c.want)
			}
		})
	}
}
