package images

import (
	"sort"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/canon"
)

// refName is the annotation that names a manifest in an OCI layout: a full
// reference in the bundle's, a bare tag in zot's (OCI image-spec, "Pre-Defined
// Annotation Keys").
const refName = "org.opencontainers.image.ref.name"

// layoutFile is the content of the file oci-layout (OCI image-spec, "Image
// Layout Specification").
type layoutFile struct {
	Version string `json:"imageLayoutVersion"`
}

// OCILayout is the file oci-layout.
func OCILayout() []byte { return mustJSON(layoutFile{Version: "1.0.0"}) }

// Index is the bundle's own OCI image layout: index.json with one descriptor
// for each image, sorted by reference, and the file oci-layout. With both at
// the bundle's root, any OCI tool reads the images off the medium.
func Index(entries []bundle.ImageEntry) (index, layout []byte) {
	doc := indexFile{SchemaVersion: 2, MediaType: mediaOCIIndex, Manifests: []descriptor{}}
	for _, e := range entries {
		doc.Manifests = append(doc.Manifests, descriptor{
			MediaType: e.MediaType, Digest: e.Digest, Size: e.Size,
			Annotations: map[string]string{refName: e.Ref},
		})
	}
	sort.SliceStable(doc.Manifests, func(i, j int) bool {
		return doc.Manifests[i].Annotations[refName] < doc.Manifests[j].Annotations[refName]
	})
	return mustJSON(doc), OCILayout()
}

// Tagged is a manifest in a repository's own index; an empty Tag means that it
// is there by digest only.
type Tagged struct {
	Blob
	Tag string
}

// RepositoryIndex is the index.json of an OCI layout that holds one repository:
// tags are bare, and every manifest of the list appears.
func RepositoryIndex(list []Tagged) []byte {
	doc := indexFile{SchemaVersion: 2, MediaType: mediaOCIIndex, Manifests: []descriptor{}}
	for _, m := range list {
		d := descriptor{MediaType: m.MediaType, Digest: m.Digest, Size: m.Size}
		if m.Tag != "" {
			d.Annotations = map[string]string{refName: m.Tag}
		}
		doc.Manifests = append(doc.Manifests, d)
	}
	return mustJSON(doc)
}

type indexFile struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []descriptor `json:"manifests"`
}

// mustJSON writes a value of strings and numbers, which cannot fail.
func mustJSON(v any) []byte {
	b, err := canon.JSON(v)
	if err != nil {
		panic(err)
	}
	return b
}
