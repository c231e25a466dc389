// Package archive looks into image archives of RKE2 and K3s and says which of
// the images that a node needs are in none of them. It closes the one way to a
// public registry that registries.yaml cannot: RKE2 takes its runtime image from
// an archive, or pulls it, in the end from docker.io (rke2
// pkg/bootstrap/bootstrap.go).
//
// Archives are opened by rancher/wharfie's own package, so that what it would
// not open (a window over 32 MiB, an unknown ending) is refused here too. They
// are read as a stream, to their end, in bounded memory; nothing is unpacked.
// Whether the bytes are the vendor's is for the checksums to say. Both programs
// may link it: it has no registry client.
package archive

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rancher/wharfie/pkg/tarfile"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/internal/size"
)

// Bounds of an archive. Real ones have some hundred members and an index of
// some ten KiB; the largest unpacked are a few GiB.
const (
	maxIndex   = 16 * size.MiB
	maxMembers = 1 << 16
	maxNames   = 16 * size.MiB
)

// Need is an image that a node must find in its archives.
type Need struct {
	Ref string
	// Runtime is RKE2's own image, which wharfie looks for before containerd
	// runs: it reads docker-archives only, and looks for a tag.
	Runtime bool
}

// Contents are the images of an archive, as full references.
type Contents struct {
	Docker     []string          // by manifest.json, all their members there
	Containerd []string          // what containerd imports: by index.json if it is an OCI layout
	digests    map[string]string // reference -> manifest digest, as far as the archive tells
}

// Check reports every needed image that is in none of the archives, and every
// archive that cannot be read.
func Check(archives []string, needs []Need) error {
	var faults []error
	docker, imported := map[string]bool{}, map[string]bool{}
	for _, file := range archives {
		c, err := Scan(file)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		for _, ref := range c.Docker {
			docker[ref] = true
		}
		for _, ref := range c.Containerd {
			imported[ref] = true
			if d := c.digests[ref]; d != "" {
				imported[untagged(ref)+"@"+d], imported[ref+"@"+d] = true, true
			}
		}
	}
	names := make([]string, len(archives))
	for i, a := range archives {
		names[i] = filepath.Base(a)
	}
	for _, n := range needs {
		ref, err := images.ParseRef(n.Ref)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		switch where := strings.Join(names, ", "); {
		case !imported[ref.String()]:
			faults = append(faults, Missing.New("cannot start a node without %s: have it in none of the archives (%s), need it in one", ref, where).
				Hint("take the vendor's archive for this version, and for the chosen network and ingress"))
		case n.Runtime && !docker[ref.String()]:
			faults = append(faults, Missing.New("cannot start a node without %s: have it in an OCI layout only (%s), need it in a docker-archive, where RKE2 looks for it", ref, where).
				Hint("leave the vendor's archive as it is; do not write it again with another tool"))
		}
	}
	return errors.Join(faults...)
}

func untagged(ref string) string {
	if i := strings.LastIndex(ref, ":"); i > strings.LastIndex(ref, "/") {
		return ref[:i]
	}
	return ref
}

// Scan reads one archive to its end.
func Scan(file string) (Contents, error) {
	bad := func(format string, args ...any) error {
		return Unreadable.New("cannot use image archive %s: %w", filepath.Base(file), fmt.Errorf(format, args...)).
			Hint("take the vendor's file again and check its sha256; when compressing it yourself, use zstd with --long=25 at most")
	}
	// containerd's importer takes small letters only (k3s
	// pkg/agent/containerd/watcher.go, isFileSupported), wharfie no dot files.
	base := filepath.Base(file)
	if strings.HasPrefix(base, ".") || !slices.ContainsFunc(tarfile.SupportedExtensions, func(e string) bool { return strings.HasSuffix(base, e) }) {
		return Contents{}, bad("have the name %s, need one that ends in one of %s, in small letters, without a dot before it", base, strings.Join(tarfile.SupportedExtensions, " "))
	}
	open, err := tarfile.GetOpener(file)
	if err != nil {
		return Contents{}, bad("%w", err)
	}
	stream, err := open()
	if err != nil {
		return Contents{}, bad("%w", err)
	}
	defer stream.Close() // wharfie's gzip reader returns an error for every close
	s := scan{members: map[string]bool{}, texts: map[string][]byte{}}
	if err := s.read(tar.NewReader(stream)); err != nil {
		return Contents{}, bad("%w", err)
	}
	if _, err := io.Copy(io.Discard, stream); err != nil { // the compression's own checksum stands at the end
		return Contents{}, bad("%w", err)
	}
	c, err := s.contents()
	if err != nil {
		return Contents{}, bad("%w", err)
	}
	return c, nil
}

// scan is what is kept of an archive: the names of its members and the content
// of three.
type scan struct {
	members map[string]bool
	names   int
	texts   map[string][]byte
}

func (s *scan) read(r *tar.Reader) error {
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := path.Clean(h.Name)
		s.names += len(name)
		if len(s.members) >= maxMembers || size.Bytes(s.names) > maxNames {
			return fmt.Errorf("have more than %d members or %s of names, need fewer", maxMembers, maxNames)
		}
		switch name {
		case "manifest.json", "index.json", "oci-layout":
			if s.members[name] {
				return fmt.Errorf("have %s twice, need it once", name)
			}
			if size.Bytes(h.Size) > maxIndex {
				return fmt.Errorf("have a %s of %s, need at most %s", name, size.Bytes(h.Size), maxIndex)
			}
			if s.texts[name], err = io.ReadAll(r); err != nil {
				return err
			}
		}
		s.members[name] = true
	}
}

func (s *scan) contents() (Contents, error) {
	c := Contents{digests: map[string]string{}}
	if raw, ok := s.texts["manifest.json"]; ok {
		var saved []struct {
			Config   string
			RepoTags []string
			Layers   []string
		}
		if err := json.Unmarshal(raw, &saved); err != nil {
			return c, fmt.Errorf("manifest.json: %w", err)
		}
		for _, image := range saved {
			for _, member := range append(image.Layers, image.Config) {
				if !s.members[path.Clean(member)] {
					return c, fmt.Errorf("have no member %s, need it for %s", member, strings.Join(image.RepoTags, ", "))
				}
			}
			for _, tag := range image.RepoTags {
				ref, err := images.ParseRef(tag)
				if err != nil {
					return c, err
				}
				c.Docker = append(c.Docker, ref.String())
			}
		}
	}
	c.Containerd = c.Docker
	if s.members["oci-layout"] { // then containerd looks at nothing else
		var err error
		if c.Containerd, err = s.layout(c.digests); err != nil {
			return c, err
		}
	} else if c.Docker == nil && !s.members["manifest.json"] {
		return c, errors.New("have neither manifest.json nor oci-layout, need an archive of images")
	}
	return c, nil
}

// layout are the images of an OCI layout that have a whole name: containerd
// takes io.containerd.image.name, else org.opencontainers.image.ref.name as it is.
func (s *scan) layout(digests map[string]string) ([]string, error) {
	var index struct {
		Manifests []struct {
			Digest      string
			Annotations map[string]string
		}
	}
	if err := json.Unmarshal(s.texts["index.json"], &index); err != nil {
		return nil, fmt.Errorf("index.json: %w", err)
	}
	var refs []string
	for _, m := range index.Manifests {
		name := m.Annotations["io.containerd.image.name"]
		if name == "" {
			name = m.Annotations["org.opencontainers.image.ref.name"]
		}
		ref, err := images.ParseRef(name)
		if err != nil || ref.String() != name {
			continue // a name that no pod asks for
		}
		if blob := "blobs/" + strings.Replace(m.Digest, ":", "/", 1); !s.members[blob] {
			return nil, fmt.Errorf("have no member %s, need it for %s", blob, name)
		}
		digests[name] = m.Digest
		refs = append(refs, name)
	}
	return refs, nil
}
