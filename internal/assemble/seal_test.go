package assemble

import (
	"strings"
	"testing"

	"caisson.dev/caisson/bundle"
	"caisson.dev/caisson/images"
	"caisson.dev/caisson/images/distribution"
	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/profiles"
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
