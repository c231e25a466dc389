// Package release tells which files of RKE2's and K3s's vendor a node needs,
// from the version alone, and what changed between the versions. Everything in
// it is pure: the files become Wants, which package sources resolves; Unpack
// reads a stream and writes nothing.
//
// The facts were read in the vendors' repositories at their tags, in the files
// that the comments name. The package stands beside the profiles rke2-cis
// and k3s-edge, which use it; keys of their configuration are not here.
package release

import (
	"errors"
	"path"
	"strconv"
	"strings"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/spec"
)

// Product is one of the vendor's two distributions of Kubernetes.
type Product string

// The products.
const (
	RKE2 Product = "rke2"
	K3s  Product = "k3s"
)

// vendorURL is what stands before the version in the URL of a release file
// (rke2 install.sh; k3s install.sh).
var vendorURL = map[Product]string{
	RKE2: "https://github.com/rancher/rke2/releases/download",
	K3s:  "https://github.com/k3s-io/k3s/releases/download",
}

// Choice is a release, and what of it is needed.
type Choice struct {
	Version Version
	Arch    string   // amd64 or arm64
	CNI     []string // RKE2 only; as kubernetes.cni of the Spec
	Ingress []string // as kubernetes.ingress of the Spec
	// URL is a mirror of the vendor's server and Path a folder, each with one
	// folder for each release. With neither, the files come from the vendor.
	URL, Path string
}

// Of is the choice that a Spec makes for one kind of machine. It expects the
// profile rke2-cis or k3s-edge, with defaults filled in.
func Of(e spec.Enclave, arch string) (Choice, error) {
	k := e.Kubernetes
	product := RKE2
	if k.Profile == spec.ProfileK3s {
		product = K3s
	}
	v, err := Parse(product, k.Version)
	if err != nil {
		return Choice{}, err
	}
	c := Choice{Version: v, Arch: arch, CNI: k.CNI, Ingress: k.Ingress}
	if k.Release != nil {
		c.URL, c.Path = k.Release.URL, k.Release.Path
	}
	return c, errors.Join(c.check(), c.checkPlace())
}

// Kind says what a file is, so that each goes to its place on the node.
type Kind string

// The kinds of files.
const (
	Bundle    Kind = "bundle"    // RKE2's program, units and scripts: see Unpack
	Program   Kind = "program"   // K3s's one program
	Images    Kind = "images"    // an archive for agent/images, under its own name
	Checksums Kind = "checksums" // the vendor's checksum file
	List      Kind = "list"      // names of images; never on a node, see Lists
)

// File is one file of a release.
type File struct {
	Name string
	Kind Kind
}

// Artifact names the file's artifact, which is its Want's name as well.
func (c Choice) Artifact(f File) string { return string(c.Version.Product) + "/" + f.Name }

// Files lists what the choice comes to (rke2 scripts/build-images and
// package-bundle; k3s scripts/package-airgap and package-cli), the checksum file
// last. A text file with a list of images is never among them: in the folder of
// the archives it would be an order to pull (k3s pkg/agent/containerd/containerd.go).
func (c Choice) Files() ([]File, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	sums := File{"sha256sum-" + c.Arch + ".txt", Checksums}
	if c.Version.Product == K3s {
		name := "k3s"
		if c.Arch != "amd64" {
			name += "-" + c.Arch
		}
		return []File{{name, Program}, {"k3s-airgap-images-" + c.Arch + ".tar.zst", Images}, sums}, nil
	}
	archive := func(name string) File {
		return File{"rke2-images-" + name + ".linux-" + c.Arch + ".tar.zst", Images}
	}
	// Not the bundle of images without a name: it is core and canal, which not
	// everybody wants.
	files := []File{{"rke2.linux-" + c.Arch + ".tar.gz", Bundle}, archive("core")}
	for _, name := range c.CNI {
		if name != spec.None {
			files = append(files, archive(name))
		}
	}
	for _, name := range c.Ingress {
		if name != spec.None && name != c.Version.line().inCore {
			files = append(files, archive(name))
		}
	}
	return append(files, sums), nil
}

// Lists are the vendor's own lists of what Files' archives are to hold (rke2
// scripts/package-images; k3s .github/workflows/release.yml). They are for the
// connected side alone, which compares.
func (c Choice) Lists() ([]File, error) {
	if c.Version.Product == K3s {
		return []File{{"k3s-images.txt", List}}, c.check()
	}
	files, err := c.Files()
	var out []File
	for _, f := range files {
		if f.Kind == Images {
			out = append(out, File{strings.TrimSuffix(f.Name, ".tar.zst") + ".txt", List})
		}
	}
	return out, err
}

// Wants are the files and the lists, each bound to the vendor's checksum file but
// for K3s's list, which is not in it. That file is wanted too: on the medium it
// vouches for the others.
func (c Choice) Wants() ([]bundle.Want, error) {
	files, err := c.Files()
	if err == nil {
		err = c.checkPlace()
	}
	if err != nil {
		return nil, err
	}
	sums := files[len(files)-1].Name
	lists, err := c.Lists()
	if err != nil {
		return nil, err
	}
	files = append(files, lists...)
	var wants []bundle.Want
	for _, f := range files {
		w := &bundle.FileWant{Mode: 0o644, Release: c.Version.String()}
		if f.Kind == Program {
			w.Mode = 0o755
		}
		at := &w.URL
		if c.Path != "" {
			at = &w.Path
		}
		*at = c.at(f.Name)
		if f.Kind != Checksums && !(f.Kind == List && c.Version.Product == K3s) {
			w.Checksum = c.at(sums)
		}
		wants = append(wants, bundle.Want{Name: c.Artifact(f), File: w})
	}
	return wants, nil
}

// at is where a file of the release lies (rke2 and k3s install.sh).
func (c Choice) at(name string) string {
	if c.Path != "" {
		return path.Join(c.Path, c.Version.String(), name)
	}
	root := c.URL
	if root == "" {
		root = vendorURL[c.Version.Product]
	}
	return strings.TrimRight(root, "/") + "/" + strings.ReplaceAll(c.Version.String(), "+", "%2B") + "/" + name
}

func (c Choice) check() error {
	v := c.Version
	if _, err := Parse(v.Product, v.String()); err != nil {
		return err
	}
	profile := spec.ProfileRKE2
	if v.Product == K3s {
		profile = spec.ProfileK3s
	}
	cniHave, cniNeed := "", ""
	if v.Product == RKE2 {
		cniHave, cniNeed = spec.CNIProblem(c.CNI)
	} else if len(c.CNI) > 0 {
		cniHave, cniNeed = strings.Join(c.CNI, ", "), "none: K3s has its network built in"
	}
	ingressHave, ingressNeed := spec.IngressProblem(profile, c.Ingress)
	switch {
	case c.Arch != "amd64" && c.Arch != "arm64":
		return c.refuse("machine architecture "+strconv.Quote(c.Arch), "amd64 or arm64")
	case cniHave != "":
		return c.refuse("CNI "+cniHave, cniNeed)
	case ingressHave != "":
		return c.refuse("ingress "+ingressHave, ingressNeed)
	}
	return nil
}

func (c Choice) checkPlace() error {
	switch {
	case c.URL != "" && c.Path != "":
		return c.refuse("both "+c.URL+" and "+c.Path, "one of them")
	case c.URL == "" && c.Path == "" && c.Version.PrimeOnly():
		return c.refuse("the vendor's public server, which lacks it", "a mirror or folder that has it, or "+c.Version.line().lastPublic.String()).
			Hint("the vendor gives this release to paying customers alone: name their copy in kubernetes.release")
	}
	return nil
}

func (c Choice) refuse(have, need string) *fault.Fault {
	return ChoiceRefused.New("cannot choose the files of %s: have %s, need %s", c.Version, have, need)
}
