// Package images is the container images of a bundle and the registry that
// serves them. On the low side it assembles images from artifacts (Assemble),
// lists what an image needs and refuses what is not whole (Closure), and writes
// the bundle's OCI image layout (Index). For the node it describes the registry
// engine (Engine, Service), lays out its storage as hard links to the bundle's
// blobs (View, then Lay), and sends containerd there and nowhere else
// (ContainerdHosts). The engines are the folders zot and distribution; catalog
// lists them.
//
// It does not fetch: package sources does. It does not hash layers: package
// bundle does, in one pass over the medium. It stands between the collected
// artifacts and the Manifest; the node side uses Engine, Service and Lay.
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
