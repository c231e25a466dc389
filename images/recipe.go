// Package images is the container images of a bundle and the registry that
// serves them: it assembles images from artifacts (Recipe), gathers carried
// ones into one deduplicated OCI image layout, verifies that every blob that a
// manifest names is there, and describes the registry engine of a node (Engine,
// Service). The engines are the folders zot and distribution.
//
// It does not fetch: package sources does. It stands between the collected
// artifacts and the Manifest; the node side uses only Engine and Service.
package images

// Recipe is one image assembled from artifacts: reproducible, one platform.
type Recipe struct {
	Ref        string // registry.k8s.io/kube-apiserver:v1.37.2
	Layers     []Layer
	Entrypoint []string
	Cmd        []string
	Env        []string
	User       string // "0", "65535:65535"
}

// Layer is one layer, from the bottom. Exactly one of Files and Packages is set.
type Layer struct {
	Files    []LayerFile
	Packages string // Want name of a DebianWant: all its packages, unpacked, without docs and locales
}

// LayerFile puts an artifact into a layer.
type LayerFile struct {
	Artifact string // "kubernetes/kube-apiserver"
	Path     string // /usr/local/bin/kube-apiserver
	Mode     uint32
}
