package assemble

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images/distribution"
	"caisson.dev/caisson/internal/standin"
	"caisson.dev/caisson/profiles"
)

// TestStandInIsRefused: in a file for the node, also inside a compressed one; on
// a medium for tests it is named. What is compiled here is not looked at.
func TestStandInIsRefused(t *testing.T) {
	var gz bytes.Buffer
	z := gzip.NewWriter(&gz)
	if _, err := z.Write([]byte("bin/rke2 " + standin.Mark)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what, source string
		data         []byte
		code         string
	}{
		{"the vendor's", "", []byte("ELF"), ""},
		{"a program", "", []byte("ELF " + standin.Mark + "."), "STAND-IN-REFUSED"},
		{"an archive", "https://mirror.example/x", gz.Bytes(), "STAND-IN-REFUSED"},
		{"compiled here", "pkg:golang/k8s.io/kubernetes@v1.37.2", []byte(standin.Mark), ""},
		{"a broken archive", "", gz.Bytes()[:20], "STAND-IN-UNKNOWN"},
	} {
		t.Run(c.what, func(t *testing.T) {
			store, err := bundle.OpenStore(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			d, n, err := store.Put(t.Context(), bytes.NewReader(c.data), "")
			if err != nil {
				t.Fatal(err)
			}
			s := &sealing{store: store, byName: map[string]bundle.Artifact{"rke2/x": {Name: "rke2/x", Source: c.source}}}
			payload := []bundle.Payload{{Path: "/a", Name: "rke2/x", Digest: d, Size: n}, {Path: "/b", Name: "rke2/x", Digest: d, Size: n}}
			_, err = s.standIns(payload)
			if have := strings.Join(codes(err), ","); have != c.code || err != nil && !strings.Contains(err.Error(), "rke2/x") {
				t.Errorf("have %v, need %q that names rke2/x", err, c.code)
			}
			if c.code != "STAND-IN-REFUSED" {
				return
			}
			s.in.StandIns = true
			found, err := s.standIns(payload)
			if diff := cmp.Diff([]string{"rke2/x"}, found); err != nil || diff != "" {
				t.Errorf("%v, -want +got\n%s", err, diff)
			}
		})
	}
}

// TestSealRefusesAStandIn before it makes anything.
func TestSealRefusesAStandIn(t *testing.T) {
	store, err := bundle.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	put := func(name, text string) []bundle.Artifact {
		d, n, err := store.Put(t.Context(), strings.NewReader(text), "")
		if err != nil {
			t.Fatal(err)
		}
		return []bundle.Artifact{{Name: name, Digest: d, Size: n}}
	}
	pause := filepath.Join(t.TempDir(), "pause")
	if err := os.WriteFile(pause, []byte("pause"), 0o755); err != nil {
		t.Fatal(err)
	}
	engine := distribution.Engine{}
	in := Input{
		Choice:    Choice{Spec: load(t, ""), Engine: engine, Profile: puts{files: []profiles.PayloadFile{{Artifact: "k3s/k3s", Path: "/usr/local/bin/k3s", Mode: 0o755}}}},
		Artifacts: map[string][]bundle.Artifact{"k3s/k3s": put("k3s/k3s", "ELF"+standin.Mark), "registry": put(engine.Binary(), "ELF")},
		Programs:  Programs{Pause: pause},
	}
	if _, err := Seal(t.Context(), in, store, quiet); !standInRefused.Is(err) || !strings.Contains(err.Error(), "k3s/k3s") {
		t.Errorf("have %v, need STAND-IN-REFUSED", err)
	}
	in.StandIns = true
	if _, err := Seal(t.Context(), in, store, quiet); err == nil || standInRefused.Is(err) {
		t.Errorf("have %v, need the next thing that is missing", err)
	}
}

func TestReleaseName(t *testing.T) {
	if have := releaseName("site", "0123456789ab", nil); have != "site-0123456789ab" {
		t.Errorf("have %s", have)
	}
	have := releaseName("site", "0123456789ab", []string{"k3s/k3s"})
	if have != "site-STAND-IN-0123456789ab" || Label(have) != "CAISSON_01234567" {
		t.Errorf("have %s with label %s", have, Label(have))
	}
}
