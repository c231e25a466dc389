package apply_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"caisson.dev/caisson/images"
	"caisson.dev/caisson/installer/apply"
	"caisson.dev/caisson/installer/installtest"
	"caisson.dev/caisson/installer/plan"
	"caisson.dev/caisson/internal/digest"
)

// swapped is a medium that gives other bytes for one digest, after it was checked.
type swapped struct {
	images.Reader
	of   digest.Digest
	with []byte
}

func (s swapped) Open(d digest.Digest) (io.ReadCloser, error) {
	if d == s.of {
		return io.NopCloser(bytes.NewReader(s.with)), nil
	}
	return s.Reader.Open(d)
}

// TestMediumChanges: bytes are held against the plan as they pass, so that a
// medium which changed after its check does not become a node.
func TestMediumChanges(t *testing.T) {
	m := installtest.Machine()
	b := newBench(t, m, installtest.OSImage(1<<20))
	of := map[plan.Kind]digest.Digest{}
	for _, s := range b.confirmed.Plan().Steps {
		of[s.Kind] = s.Digest
		if len(s.Files) > 0 {
			of[s.Kind] = s.Files[0].Digest
		}
	}
	other := bytes.Clone(b.image)
	other[len(other)-1] ^= 1
	for _, c := range []struct {
		name string
		kind plan.Kind
		with []byte
		text string
	}{
		{"the OS image, one bit", plan.WriteImage, other, "cannot use the OS image: have 1048576 bytes of sha256:"},
		{"the OS image, cut short", plan.WriteImage, other[:4096], "cannot use the OS image: have 4096 bytes of sha256:"},
		{"a payload", plan.CopyFiles, []byte("other"), "cannot write /etc/caisson/carried: have 5 bytes of sha256:"},
		{"an image blob", plan.LayImages, []byte("other"), "cannot write " + images.StoreDir + "/"},
		{"a boot piece", plan.WriteESP, nil, "have 0 bytes of sha256:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sys := newFake(t)
			d := b.deps(sys, m)
			d.Bundle = swapped{b.medium, of[c.kind], c.with}
			_, err := apply.Run(context.Background(), b.confirmed, d)
			if err == nil || !strings.HasPrefix(err.Error(), "BYTES-DIFFER: ") || !strings.Contains(err.Error(), c.text) || !strings.Contains(err.Error(), "\nhint: the medium changed") {
				t.Errorf("have %v, want BYTES-DIFFER, %q and a hint", err, c.text)
			}
			if table, _ := boots(sys); table {
				t.Error("the disk boots")
			}
			if mounts, unmounts := count(sys.Calls, "mount "), count(sys.Calls, "unmount "); mounts != unmounts {
				t.Errorf("%d mounts, %d unmounts", mounts, unmounts)
			}
		})
	}
}
