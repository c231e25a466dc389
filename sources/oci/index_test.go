package oci_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/sources/oci"
)

// TestPinnedIndexIsCarried: a pod may name the digest that the author pinned.
// Where that is an index, the node needs the index itself, what its own platform
// runs, and nothing of other platforms.
func TestPinnedIndexIsCarried(t *testing.T) {
	u := newUpstream(t)
	index, amd := multi(t)
	ref := u.ref(t, "team/app:1")
	if err := remote.WriteIndex(ref, index); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "layout")
	if err := must(layout.Write(dir, empty.Index))(t).AppendIndex(index); err != nil {
		t.Fatal(err)
	}
	root := must(index.Digest())(t)
	pinned := digest.Digest(root.String())
	want := []string{root.String(), must(amd.Digest())(t).String(), must(amd.ConfigName())(t).String()}
	for _, l := range must(amd.Layers())(t) {
		want = append(want, must(l.Digest())(t).String())
	}
	for summary, im := range map[string]bundle.ImageWant{
		"registry": {Ref: ref.String(), Registry: true, Platform: "linux/amd64", Digest: pinned},
		"layout":   {Ref: ref.String(), Layout: dir, Platform: "linux/amd64", Digest: pinned},
		"archive":  {Ref: ref.String(), Archive: archive(t, tarOf(t, dir)), Platform: "linux/amd64", Digest: pinned},
	} {
		t.Run(summary, func(t *testing.T) {
			s := store(t)
			pin := bring(t, s, im, root, len(want))
			entry := bundle.ImageEntry{Ref: im.Ref, MediaType: pin.Image.MediaType, Digest: pin.Image.Digest, Size: must(s.Size(pinned))(t)}
			var have []string
			for _, b := range must(images.Closure(s, entry))(t) {
				have = append(have, string(b.Digest))
			}
			if diff := cmp.Diff(want, have); diff != "" {
				t.Errorf("blobs -want +got\n%s", diff)
			}
			for _, m := range must(index.IndexManifest())(t).Manifests {
				if here := s.Has(digest.Digest(m.Digest.String())); here != m.Platform.Satisfies(v1.Platform{OS: "linux", Architecture: "amd64"}) {
					t.Errorf("%s of %s: carried is %v", m.Digest, m.Platform, here)
				}
			}
			// All platforms of the same index are another thing to remember.
			im.Platform = oci.WholeIndex
			bring(t, s, im, root, 8)
		})
	}
}
