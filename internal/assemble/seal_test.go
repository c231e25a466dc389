package assemble

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/images/distribution"
	"caisson.dev/caisson/internal/canon"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/kubeadm"
	"caisson.dev/caisson/secrets"
	"caisson.dev/caisson/sources/file"
	"caisson.dev/caisson/spec"
)

// puts is a profile that puts files on the node and makes no images.
type puts struct {
	profiles.Profile
	files []profiles.PayloadFile
}

func (p puts) Payload(spec.Enclave) ([]profiles.PayloadFile, error) { return p.files, nil }
func (p puts) Recipes(spec.Enclave) ([]images.Recipe, error)        { return nil, nil }

func TestSealRefuses(t *testing.T) {
	registry := distribution.Engine{}.Binary()
	at := func(artifact, path string) profiles.PayloadFile {
		return profiles.PayloadFile{Artifact: artifact, Path: path, Mode: 0o755}
	}
	carried := bundle.Pin{Want: bundle.Want{Name: "image/a", Image: &bundle.ImageWant{Ref: "a/b:1"}}, Image: &bundle.ImagePin{}}
	for _, c := range []struct {
		what  string
		files []profiles.PayloadFile
		have  []string
		pins  []bundle.Pin
		code  string // "" is accepted
		says  string
	}{
		{"each path once", []profiles.PayloadFile{at("k/a", "/usr/local/bin/a")}, []string{"k/a", registry}, nil, "", ""},
		{"two files with one path", []profiles.PayloadFile{at("k/a", "/opt/x"), at("k/b", "/opt/x")}, []string{"k/a", "k/b", registry}, nil,
			"MANIFEST-PATH-TWICE", "cannot put k/a and k/b on the node: both want the path /opt/x"},
		{"a file in the registry's place", []profiles.PayloadFile{at("k/a", "/usr/local/bin/distribution")}, []string{"k/a", registry}, nil,
			"MANIFEST-PATH-TWICE", "/usr/local/bin/distribution"},
		{"a file that nothing made", []profiles.PayloadFile{at("k/a", "/opt/x")}, []string{registry}, nil, "ARTIFACT-MISSING", "k/a among those collected: it is wanted as /opt/x"},
		{"an image that did not come", nil, []string{registry}, []bundle.Pin{carried}, "ARTIFACT-MISSING", "image/a among those collected: the Lock pins it"},
	} {
		t.Run(c.what, func(t *testing.T) {
			s := &sealing{in: Input{Choice: Choice{Profile: puts{files: c.files}, Engine: distribution.Engine{}}, Lock: bundle.Lock{Pins: c.pins}},
				byName: map[string]bundle.Artifact{}}
			for _, name := range c.have {
				s.byName[name] = bundle.Artifact{Name: name, Digest: digest.Of([]byte(name)), Size: int64(len(name))}
			}
			_, err := s.images()
			if err == nil {
				_, err = s.payload()
			}
			if got := strings.Join(codes(err), ","); got != c.code || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("have %v\nwant %q with %q", err, c.code, c.says)
			}
		})
	}
}

// TestSealedSecretsTravel: the Lock would pin both files, and the manifest says in
// clear what the sealed one is. Files that are not a pair are refused here too.
func TestSealedSecretsTravel(t *testing.T) {
	store, err := bundle.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l := load(t, "secrets: {sealed: s.age}\n")
	profile := kubeadm.New()
	files, err := profile.MakeSecrets(l.Enclave, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	sealed, said, err := secrets.Seal(l.Enclave, files, "horse battery staple", 10)
	if err != nil {
		t.Fatal(err)
	}
	notes, err := canon.JSON(said)
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{"s.age": sealed, "s.age.json": notes} {
		if err := os.WriteFile(filepath.Join(l.Dir, name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	choice, err := Choose(l)
	if err != nil {
		t.Fatal(err)
	}
	wants, err := choice.Wants()
	if err != nil {
		t.Fatal(err)
	}
	wants = slices.DeleteFunc(wants, func(w bundle.Want) bool { return !strings.HasPrefix(w.Name, "secrets/") })
	src := file.Source{Store: store, Dir: l.Dir}
	s := &sealing{ctx: t.Context(), in: Input{Choice: choice}, store: store, byName: map[string]bundle.Artifact{}}
	if _, err := s.secrets(&bundle.Manifest{}); !artifactMissing.Is(err) {
		t.Errorf("not collected: have %v", err)
	}
	for _, w := range wants {
		pin, err := src.Resolve(t.Context(), w)
		if err != nil {
			t.Fatal(err)
		}
		if w.Name == wantSealed && (pin.File.Digest != said.Digest || pin.File.Size != said.Size) {
			t.Errorf("the Lock pins %+v, want %s", pin.File, said.Digest)
		}
		got, err := src.Collect(t.Context(), pin, store, quiet)
		if err != nil {
			t.Fatal(err)
		}
		s.byName[got[0].Name] = got[0]
	}
	var m bundle.Manifest
	raw, err := s.secrets(&m)
	if err != nil || !bytes.Equal(raw, sealed) || m.Secrets == nil || m.Secrets.Content != said.Content || len(m.Secrets.CAs) != 3 {
		t.Errorf("have %d bytes, %+v, %v", len(raw), m.Secrets, err)
	}
	s.byName[wantSealed] = s.byName[wantNotes]
	if _, err := s.secrets(&m); !secrets.NotSealed.Is(err) {
		t.Errorf("another file: have %v", err)
	}
}
