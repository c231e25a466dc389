package images

import (
	"encoding/json"
	"fmt"

	"caisson.dev/caisson/internal/digest"
)

// Media types that are read and written (OCI image-spec 1.1, "Media Types";
// Docker's image manifest version 2, schema 2).
const (
	mediaOCIManifest    = "application/vnd.oci.image.manifest.v1+json"
	mediaOCIIndex       = "application/vnd.oci.image.index.v1+json"
	mediaOCIConfig      = "application/vnd.oci.image.config.v1+json"
	mediaOCILayerZstd   = "application/vnd.oci.image.layer.v1.tar+zstd"
	mediaDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	mediaDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// descriptor is what we read and write of an OCI content descriptor.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      digest.Digest     `json:"digest"`
	Size        int64             `json:"size"`
	Platform    *platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
}

// ours reports whether a linux/amd64 node might choose the child: it does when
// nothing is said.
func (p *platform) ours() bool {
	return p == nil || (p.OS == "" && p.Architecture == "") || (p.OS == "linux" && p.Architecture == "amd64")
}

// document is a manifest or an index: the fields that name other blobs.
type document struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType,omitempty"`
	Manifests     []descriptor `json:"manifests,omitempty"`
	Config        *descriptor  `json:"config,omitempty"`
	Layers        []descriptor `json:"layers,omitempty"`
	FSLayers      []any        `json:"fsLayers,omitempty"` // schema 1 only
}

func kindOf(mediaType string) Kind {
	if mediaType == mediaOCIIndex || mediaType == mediaDockerList {
		return KindIndex
	}
	return KindManifest
}

// parseManifest reads a manifest that is served under mediaType. Its second
// result says why it is refused. A manifest that can be read both as an index
// and as an image is refused, as two readers would pull two things
// (OCI image-spec, security considerations of ambiguous manifests).
func parseManifest(raw []byte, mediaType string) (document, string) {
	var doc document
	if err := json.Unmarshal(raw, &doc); err != nil {
		return doc, fmt.Sprintf("it is not a manifest: %v", err)
	}
	if doc.SchemaVersion != 2 || len(doc.FSLayers) > 0 {
		return doc, fmt.Sprintf("have schemaVersion %d, need 2", doc.SchemaVersion)
	}
	docker := false
	switch mediaType {
	case mediaDockerManifest, mediaDockerList:
		docker = true
	case mediaOCIManifest, mediaOCIIndex:
	default:
		return doc, fmt.Sprintf("have media type %q, need an OCI or Docker schema 2 manifest or index", mediaType)
	}
	// Registries serve what the document says of itself, and call it OCI when it
	// says nothing; only the same answer keeps the type that the index states.
	if doc.MediaType != mediaType && (docker || doc.MediaType != "") {
		return doc, fmt.Sprintf("the document says media type %q, need %q", doc.MediaType, mediaType)
	}
	image := doc.Config != nil || doc.Layers != nil
	index := doc.Manifests != nil
	switch {
	case image && index:
		return doc, "it is both an index and an image"
	case kindOf(mediaType) == KindIndex && !index:
		return doc, "it is said to be an index, but names no manifests"
	case kindOf(mediaType) == KindManifest && doc.Config == nil:
		return doc, "it is said to be an image, but names no config"
	}
	all := append(append([]descriptor(nil), doc.Manifests...), doc.Layers...)
	if doc.Config != nil {
		all = append(all, *doc.Config)
	}
	for _, d := range all {
		if d.Digest == "" || d.Size < 0 {
			return doc, fmt.Sprintf("it names a blob by digest %q and size %d, need both", d.Digest, d.Size)
		}
	}
	return doc, ""
}
