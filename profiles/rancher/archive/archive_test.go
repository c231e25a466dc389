package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/klauspost/compress/zstd"
	"github.com/rancher/wharfie/pkg/tarfile"

	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/profiles/rancher/archive"
)

const (
	runtimeRef = "rancher/rke2-runtime:v1.36.3-rke2r1"
	pauseRef   = "docker.io/rancher/mirrored-pause:3.6"
)

// dockerArchive is written by go-containerregistry, somebody else's.
func dockerArchive(t *testing.T, refs ...string) []byte {
	t.Helper()
	all := map[name.Tag]v1.Image{}
	for _, r := range refs {
		img, err := random.Image(200, 2)
		if err != nil {
			t.Fatal(err)
		}
		tag, err := name.NewTag(r)
		if err != nil {
			t.Fatal(err)
		}
		all[tag] = img
	}
	var b bytes.Buffer
	if err := tarball.MultiWrite(all, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type member struct{ name, text string }

func tarOf(t *testing.T, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		if err := w.WriteHeader(&tar.Header{Name: m.name, Mode: 0o644, Size: int64(len(m.text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// layout is an OCI layout as ctr images export writes it: blobs, index.json,
// manifest.json if asked for, oci-layout.
func layout(t *testing.T, annotation string, names ...string) []byte {
	t.Helper()
	type desc struct {
		Digest      string            `json:"digest"`
		Annotations map[string]string `json:"annotations"`
	}
	var index struct {
		Manifests []desc `json:"manifests"`
	}
	for _, n := range names {
		index.Manifests = append(index.Manifests, desc{digest, map[string]string{annotation: n}})
	}
	raw, err := json.Marshal(index)
	if err != nil {
		t.Fatal(err)
	}
	return tarOf(t, member{"blobs/" + strings.Replace(digest, ":", "/", 1), "{}"}, member{"index.json", string(raw)}, member{"oci-layout", `{"imageLayoutVersion":"1.0.0"}`})
}

func zst(t *testing.T, data []byte, window int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithWindowSize(window), zstd.WithSingleSegment(false))
	if err != nil {
		t.Fatal(err)
	}
	// Two writes with a flush between them: the frame then states its window.
	for _, part := range [][]byte{data[:len(data)/2], data[len(data)/2:]} {
		if _, err := w.Write(part); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gz(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func put(t *testing.T, dir, file string, data []byte) string {
	t.Helper()
	p := filepath.Join(dir, file)
	if err := os.WriteFile(p, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCheck(t *testing.T) {
	both := dockerArchive(t, runtimeRef, pauseRef)
	needs := []archive.Need{{Ref: "docker.io/" + runtimeRef, Runtime: true}, {Ref: pauseRef}}
	const ctr = "io.containerd.image.name"
	for _, c := range []struct {
		summary string
		files   map[string][]byte
		needs   []archive.Need
		words   []string // of the faults, one each
	}{
		{"a tar", map[string][]byte{"a.tar": both}, needs, nil},
		{"zstd with the vendor's window", map[string][]byte{"a.tar.zst": zst(t, both, 32<<20)}, needs, nil},
		{"gzip", map[string][]byte{"a.tgz": gz(t, both)}, needs, nil},
		{"in two archives", map[string][]byte{"a.tar": dockerArchive(t, runtimeRef), "b.tar.zst": zst(t, dockerArchive(t, pauseRef), 1<<20)}, needs, nil},
		{"no archive", nil, needs, []string{"without docker.io/" + runtimeRef, "without " + pauseRef}},
		{"one is missing", map[string][]byte{"a.tar": dockerArchive(t, pauseRef)}, needs, []string{"without docker.io/" + runtimeRef + ": have it in none of the archives (a.tar)"}},
		{"another tag", map[string][]byte{"a.tar": both}, []archive.Need{{Ref: "rancher/mirrored-pause:3.7"}}, []string{"mirrored-pause:3.7"}},
		{"another registry", map[string][]byte{"a.tar": both}, []archive.Need{{Ref: "registry.rancher.com/rancher/mirrored-pause:3.6"}}, []string{"registry.rancher.com"}},
		{"an OCI layout", map[string][]byte{"a.tar": layout(t, ctr, pauseRef)}, needs[1:], nil},
		{"an OCI layout by its own names", map[string][]byte{"a.tar": layout(t, "org.opencontainers.image.ref.name", pauseRef)}, needs[1:], nil},
		{"an OCI layout with a tag for a name", map[string][]byte{"a.tar": layout(t, "org.opencontainers.image.ref.name", "3.6")}, needs[1:], []string{"without " + pauseRef}},
		{"the runtime in an OCI layout", map[string][]byte{"a.tar": layout(t, ctr, pauseRef, "docker.io/"+runtimeRef)}, needs, []string{"in an OCI layout only (a.tar), need it in a docker-archive"}},
		{"by digest", map[string][]byte{"a.tar": layout(t, ctr, pauseRef)}, []archive.Need{{Ref: "rancher/mirrored-pause@" + digest}, {Ref: pauseRef + "@" + digest}}, nil},
		{"by a digest that docker-archives do not tell", map[string][]byte{"a.tar": both}, []archive.Need{{Ref: "rancher/mirrored-pause@" + digest}}, []string{"@sha256:"}},
		{"a reference that is none", map[string][]byte{"a.tar": both}, []archive.Need{{Ref: "A B"}}, []string{"IMAGE-REF-INVALID"}},
		{"window too large", map[string][]byte{"a.tar.zst": zst(t, both, 64<<20)}, needs[:1], []string{"cannot use image archive a.tar.zst: window size exceeded", "without docker.io/" + runtimeRef}},
		{"cut", map[string][]byte{"a.tar.zst": zst(t, both, 1<<20)[:900]}, nil, []string{"unexpected EOF"}},
		{"cut after the list", map[string][]byte{"a.tar": both[:len(both)-2048]}, nil, []string{"a.tar"}},
		{"capitals", map[string][]byte{"a.TAR": both}, nil, []string{"in small letters"}},
		{"a dot file", map[string][]byte{".a.tar": both}, nil, []string{"without a dot before it"}},
		{"a pull list", map[string][]byte{"a.txt": both}, nil, []string{"need one that ends in one of .tar"}},
		{"not what its name says", map[string][]byte{"a.tar.gz": both}, nil, []string{"invalid header"}},
		{"no images", map[string][]byte{"a.tar": tarOf(t, member{"x", "y"})}, nil, []string{"have neither manifest.json nor oci-layout"}},
		{"two lists", map[string][]byte{"a.tar": tarOf(t, member{"manifest.json", "[]"}, member{"./manifest.json", "[]"})}, nil, []string{"have manifest.json twice"}},
		{"a broken list", map[string][]byte{"a.tar": tarOf(t, member{"manifest.json", "["})}, nil, []string{"manifest.json: unexpected end"}},
		{"a broken index", map[string][]byte{"a.tar": tarOf(t, member{"oci-layout", "{}"})}, nil, []string{"index.json: unexpected end"}},
		{"a layer is gone", map[string][]byte{"a.tar": tarOf(t, member{"manifest.json", `[{"Config":"c","RepoTags":["a/b:1"],"Layers":["l"]}]`}, member{"c", "{}"})}, nil, []string{"have no member l, need it for a/b:1"}},
		{"a manifest is gone", map[string][]byte{"a.tar": tarOf(t, member{"oci-layout", "{}"}, member{"index.json", fmt.Sprintf(`{"manifests":[{"digest":%q,"annotations":{"io.containerd.image.name":%q}}]}`, digest, pauseRef)})}, nil, []string{"have no member blobs/sha256/e3b0"}},
		{"too large a list", map[string][]byte{"a.tar": tarOf(t, member{"manifest.json", strings.Repeat(" ", 16<<20+1)})}, nil, []string{"have a manifest.json of"}},
	} {
		t.Run(c.summary, func(t *testing.T) {
			dir := t.TempDir()
			var paths []string
			for file, data := range c.files {
				paths = append(paths, put(t, dir, file, data))
			}
			slices.Sort(paths)
			all := fault.All(archive.Check(paths, c.needs))
			if len(all) != len(c.words) {
				t.Fatalf("have %v, need %d", all, len(c.words))
			}
			for i, w := range c.words {
				missing := strings.HasPrefix(all[i].What, "cannot start a node without ")
				if !strings.Contains(all[i].Error(), w) || missing != (all[i].Code == archive.Missing.Code) {
					t.Errorf("have %v, need %q", all[i], w)
				}
			}
		})
	}
	if _, err := archive.Scan(filepath.Join(t.TempDir(), "gone.tar")); !archive.Unreadable.Is(err) {
		t.Errorf("have %v, need RANCHER-ARCHIVE", err)
	}
}

func TestTooManyMembers(t *testing.T) {
	many := make([]member, 1<<16+1)
	for i := range many {
		many[i].name = fmt.Sprintf("m%d", i)
	}
	if _, err := archive.Scan(put(t, t.TempDir(), "a.tar", tarOf(t, many...))); !archive.Unreadable.Is(err) || !strings.Contains(err.Error(), "more than 65536 members") {
		t.Errorf("have %v, need RANCHER-ARCHIVE", err)
	}
}

// TestWharfieAgrees: the runtime image is found here if and only if wharfie
// itself finds it, as RKE2 lets it.
func TestWharfieAgrees(t *testing.T) {
	const ctr = "io.containerd.image.name"
	ref, err := name.NewTag("index.docker.io/" + runtimeRef)
	if err != nil {
		t.Fatal(err)
	}
	for file, data := range map[string][]byte{
		"a.tar": dockerArchive(t, pauseRef, runtimeRef), "b.tar.zst": zst(t, dockerArchive(t, runtimeRef), 8<<20), "c.tar.gz": gz(t, dockerArchive(t, runtimeRef)),
		"d.tar": dockerArchive(t, pauseRef), "e.tar": layout(t, ctr, "docker.io/"+runtimeRef), "f.tar.zst": zst(t, dockerArchive(t, runtimeRef), 64<<20),
		".g.tar": dockerArchive(t, runtimeRef), "h.tar": dockerArchive(t, "quay.io/"+runtimeRef), "i.txt": dockerArchive(t, runtimeRef),
	} {
		dir := t.TempDir()
		_, theirs := tarfile.FindImage(dir, ref)
		if theirs == nil {
			t.Fatal("wharfie finds an image in an empty folder")
		}
		p := put(t, dir, file, data)
		_, theirs = tarfile.FindImage(dir, ref)
		ours := archive.Check([]string{p}, []archive.Need{{Ref: "docker.io/" + runtimeRef, Runtime: true}})
		if (ours == nil) != (theirs == nil) {
			t.Errorf("%s: here %v, wharfie %v", file, ours, theirs)
		}
	}
}

// FuzzScan: no archive breaks the reader.
func FuzzScan(f *testing.F) {
	f.Add([]byte(`[{"Config":"c","RepoTags":["a/b:1"],"Layers":["c"]}]`), []byte(`{"manifests":[]}`), true)
	f.Fuzz(func(t *testing.T, manifest, index []byte, oci bool) {
		members := []member{{"c", "{}"}, {"manifest.json", string(manifest)}, {"index.json", string(index)}}
		if oci {
			members = append(members, member{"oci-layout", "{}"})
		}
		c, err := archive.Scan(put(t, t.TempDir(), "a.tar", tarOf(t, members...)))
		if err != nil && !archive.Unreadable.Is(err) {
			t.Fatalf("have %v, need RANCHER-ARCHIVE", err)
		}
		for _, ref := range slices.Concat(c.Docker, c.Containerd) {
			if ref == "" {
				t.Fatal("an image without a name")
			}
		}
	})
}
