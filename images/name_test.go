package images_test

import (
	"strings"
	"testing"

	"github.com/distribution/reference"

	"caisson.dev/caisson/images"
)

func TestParseRef(t *testing.T) {
	const dig = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for _, c := range []struct {
		summary, ref, normal, repo string
	}{
		{"Docker Hub's short names", "busybox", "docker.io/library/busybox:latest", "docker.io/library/busybox"},
		{"a host with a dot", "registry.k8s.io/pause:3.10.2", "registry.k8s.io/pause:3.10.2", "registry.k8s.io/pause"},
		{"a host with a port", "reg.local:5000/a/b:v1", "reg.local:5000/a/b:v1", "reg.local_5000/a/b"},
		{"localhost is a host", "localhost/x:1", "localhost/x:1", "localhost/x"},
		{"capitals in the host", "Reg.Local/x:1", "Reg.Local/x:1", "reg.local/x"},
		{"only a digest", "quay.io/x/y@" + dig, "quay.io/x/y@" + dig, "quay.io/x/y"},
		{"tag and digest", "quay.io/x/y:2@" + dig, "quay.io/x/y:2@" + dig, "quay.io/x/y"},
	} {
		t.Run(c.summary, func(t *testing.T) {
			n, err := images.ParseRef(c.ref)
			if err != nil {
				t.Fatal(err)
			}
			if n.String() != c.normal || n.Repository() != c.repo {
				t.Errorf("have %s in %s, want %s in %s", n, n.Repository(), c.normal, c.repo)
			}
		})
	}
}

func TestParseRefRefuses(t *testing.T) {
	for _, ref := range []string{
		"", "UPPER/case:1", "a b", "x:", "quay.io/x@sha256:12", "[fd00::1]:5000/x:1",
		"quay.io/x@sha512:" + strings.Repeat("a", 128),
		"quay.io/" + strings.Repeat("a", 250) + ":1",
	} {
		if n, err := images.ParseRef(ref); !images.ErrRefInvalid.Is(err) {
			t.Errorf("%q: have %v, %v, want IMAGE-REF-INVALID", ref, n, err)
		}
	}
}

// FuzzParseRef holds that what is accepted is stable, and that its repository
// is a name that registries accept.
func FuzzParseRef(f *testing.F) {
	for _, s := range []string{"busybox", "reg.local:5000/a/b:v1", "a.b/c@sha256:" + strings.Repeat("0", 64), "A.b:1/c--d/e__f:x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		n, err := images.ParseRef(ref)
		if err != nil {
			return
		}
		again, err := images.ParseRef(n.String())
		if err != nil || again != n {
			t.Fatalf("%q: have %+v (%v) the second time, want %+v", ref, again, err, n)
		}
		if _, err := reference.WithName("127.0.0.1:5000/" + n.Repository()); err != nil {
			t.Fatalf("%q: repository %q: %v", ref, n.Repository(), err)
		}
	})
}
