package assemble

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images/distribution"
	"caisson.dev/caisson/profiles/rancher/archive"
	"caisson.dev/caisson/profiles/rancher/release"
	"caisson.dev/caisson/profiles/rke2-cis"
	"caisson.dev/caisson/spec"
)

// packed is a tar file of members, through a compressor.
func packed(t *testing.T, members map[string][]byte, gz bool) []byte {
	t.Helper()
	var plain, out bytes.Buffer
	w := tar.NewWriter(&plain)
	for name, data := range members {
		if err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o6777, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if gz {
		z := gzip.NewWriter(&out)
		_, err := z.Write(plain.Bytes())
		if err := errors.Join(err, z.Close()); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	z, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	_, err = z.Write(plain.Bytes())
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func image(t *testing.T, ref string) []byte {
	t.Helper()
	raw, err := json.Marshal([]map[string]any{{"Config": "c.json", "RepoTags": []string{ref}, "Layers": []string{"l.tar"}}})
	if err != nil {
		t.Fatal(err)
	}
	return packed(t, map[string][]byte{"manifest.json": raw, "c.json": []byte("{}"), "l.tar": []byte("layer")}, false)
}

// TestRKE2Medium: each file of the vendor's bundle becomes a file of the node with
// its own digest, and archives without the runtime image are refused.
func TestRKE2Medium(t *testing.T) {
	dir := t.TempDir()
	store, err := bundle.OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	e := spec.Enclave{Kubernetes: spec.Kubernetes{Profile: spec.ProfileRKE2, Version: "v1.36.3+rke2r1"}}
	spec.Default(&e)
	members := map[string][]byte{"share/rke2/other.txt": []byte("not for the node")}
	for _, m := range release.Members() {
		members[m.Name] = []byte("content of " + m.Name)
	}
	s := &sealing{ctx: context.Background(), store: store, byName: map[string]bundle.Artifact{},
		in: Input{Choice: Choice{Profile: rke2cis.New(), Engine: distribution.Engine{}, Spec: spec.Loaded{Enclave: e}}}}
	put := func(name string, data []byte) {
		d, n, err := store.Put(s.ctx, bytes.NewReader(data), "")
		if err != nil {
			t.Fatal(err)
		}
		s.byName[name] = bundle.Artifact{Name: name, Digest: d, Size: n, Source: "https://vendor.example/" + name}
	}
	put("rke2/rke2.linux-amd64.tar.gz", packed(t, members, true))
	put("rke2/rke2-images-core.linux-amd64.tar.zst", image(t, "rancher/rke2-runtime:v1.36.3-rke2r1"))
	put("rke2/rke2-images-canal.linux-amd64.tar.zst", image(t, "rancher/hardened-calico:v1"))
	put("rke2/rke2-images-core.linux-amd64.txt", []byte("docker.io/rancher/rke2-runtime:v1.36.3-rke2r1\n"))
	put("rke2/rke2-images-canal.linux-amd64.txt", []byte("docker.io/rancher/hardened-calico:v1\n"))
	put("rke2/sha256sum-amd64.txt", []byte("sums"))
	put(distribution.Engine{}.Binary(), []byte("registry"))
	if err := errors.Join(s.unpack(), s.judge()); err != nil {
		t.Fatal(err)
	}
	files, err := s.payload()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bundle.Payload{}
	for _, f := range files {
		have[f.Path] = f
	}
	for _, m := range release.Members() {
		f, ok := have[m.Path()]
		if !ok {
			t.Errorf("%s is not on the node", m.Name)
			continue
		}
		raw, err := os.ReadFile(store.Path(f.Digest))
		if err != nil || string(raw) != "content of "+m.Name || uint32(f.Mode) != m.Mode {
			t.Errorf("%s: have %q, mode %o, %v", f.Path, raw, f.Mode, err)
		}
		if src := s.byName[f.Name].Source; !strings.HasSuffix(src, "rke2.linux-amd64.tar.gz#rke2/"+m.Name) {
			t.Errorf("%s comes from %q", f.Path, src)
		}
	}
	if len(files) != len(release.Members())+4 {
		t.Errorf("have %d files, need the bundle's %d, two archives, the checksums and the registry", len(files), len(release.Members()))
	}
	// The archive of another version: the node would ask docker.io for the runtime.
	put("rke2/rke2-images-core.linux-amd64.tar.zst", image(t, "rancher/rke2-runtime:v1.36.2-rke2r1"))
	if err := s.judge(); !archive.Missing.Is(err) {
		t.Errorf("have %v, need RANCHER-IMAGE-MISSING", err)
	}
	put("rke2/rke2.linux-amd64.tar.gz", []byte("not an archive"))
	if err := s.unpack(); !release.BundleDamaged.Is(err) {
		t.Errorf("have %v, need RELEASE-BUNDLE", err)
	}
}
