package spec

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"caisson.dev/caisson/internal/digest"
	"caisson.dev/caisson/internal/fault"
	"caisson.dev/caisson/internal/golden"
	"caisson.dev/caisson/internal/size"
)

// least is the smallest Spec that is right.
const least = `apiVersion: caisson.dev/v1alpha1
kind: Enclave
metadata:
  name: demo
kubernetes:
  profile: kubeadm
  version: v1.37.2
registry:
  engine: distribution
  version: v3.1.2
`

func TestLeastSpecGetsDefaults(t *testing.T) {
	l, err := Parse([]byte(least), "somewhere")
	if err != nil {
		t.Fatal(err)
	}
	want := Enclave{
		APIVersion: APIVersion, Kind: KindEnclave, Metadata: Metadata{Name: "demo"},
		OS:         OS{Base: "debian-13", Mirror: DefaultMirror, Security: DefaultSecurity, Firmware: ptr(true), Microcode: ptr(true)},
		Kubernetes: Kubernetes{Profile: "kubeadm", Version: "v1.37.2", Source: "modules"},
		Registry:   Registry{Engine: "distribution", Version: "v3.1.2"},
		Network:    Network{PodCIDR: "10.42.0.0/16", ServiceCIDR: "10.43.0.0/16"},
	}
	if diff := cmp.Diff(want, l.Enclave); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if l.Digest != digest.Of([]byte(least)) || string(l.Raw) != least || l.Dir != "somewhere" {
		t.Errorf("digest, bytes or folder are not those of the file: %s %s", l.Digest, l.Dir)
	}
	again := l.Enclave
	Default(&again)
	if diff := cmp.Diff(l.Enclave, again); diff != "" {
		t.Errorf("defaults twice differ from once:\n%s", diff)
	}
	if err := Validate(l.Enclave); err != nil {
		t.Error(err)
	}
}

func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	_, err := Load("testdata/many-errors.yaml")
	if err == nil {
		t.Fatal("accepted")
	}
	golden.Equal(t, "many-errors.txt", []byte(err.Error()+"\n"))
	if got := fault.ExitStatus(err); got != int(fault.Input) {
		t.Errorf("exit status %d", got)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Error("a password is in the message")
	}
}

func TestDocumentIsRefused(t *testing.T) {
	bomb := "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
	for _, c := range []struct {
		what, text string
		code       fault.Kind
		says       string
	}{
		{"empty", "", Unreadable, "0 documents"},
		{"only comments", "# nothing\n", Unreadable, "0 documents"},
		{"two documents", least + "---\n" + least, Unreadable, "2 documents"},
		{"not YAML", least + "  x: [\n", Unreadable, "caisson.yaml:11"},
		{"a tab", least + "\tx: 1\n", Unreadable, "caisson.yaml:11"},
		{"not UTF-8", "name: \xff\xfe", Unreadable, "UTF-8"},
		{"a list", "- a\n", WrongType, "map of fields at the top"},
		{"a word", "hello", WrongType, "map of fields at the top"},
		{"too large", least + strings.Repeat("# padding padding\n", 1<<16), TooLarge, "1 MiB"},
		{"a field for each line", least + strings.Repeat("x:\n", 8000), TooLarge, "more than 64 fields in one map"},
		{"a field for each line, far apart", least + strings.Repeat("? x\n: y\n", 26000), TooLarge, ""},
		{"mistakes without end", least + "images:\n" + strings.Repeat("  - x: 1\n", 4000), UnknownField, "this and perhaps more"},
		{"a long list", least + "images: [" + strings.Repeat("a, ", 20000) + "]", TooLarge, "in brackets that is too long"},
		{"an alias bomb", bomb, Alias, `"&"`},
		{"a merge key", least + "os:\n  <<: {base: x}\n", Alias, "<<"},
		{"a tag", strings.Replace(least, "name: demo", "name: !!str demo", 1), Alias, "!!str"},
		{"deep flow", least + "images: " + strings.Repeat("[", 50000), TooLarge, "nested too deep"},
		{"deep dashes", least + "images: \n" + strings.Repeat("- ", 50000) + "a", TooLarge, "nested too deep"},
		{"another version", strings.Replace(least, "v1alpha1", "v2", 1), WrongVersion, `have "caisson.dev/v2", need "caisson.dev/v1alpha1"`},
		{"another kind", strings.Replace(least, "Enclave", "Answers", 1), WrongVersion, "was the wrong file named?"},
		{"no version", "kind: Enclave\n", WrongVersion, `have "", need`},
	} {
		t.Run(c.what, func(t *testing.T) {
			start := time.Now()
			_, err := Parse([]byte(c.text), "")
			if !c.code.Is(err) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("have %v, want %s with %q", err, c.code.Code, c.says)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestFieldIsRefused(t *testing.T) {
	for _, c := range []struct {
		what, old, new string
		code           fault.Kind
		says           string
	}{
		{"an unknown field", "name: demo", "name: demo\n  nmae: x", UnknownField, "caisson.yaml:5:3: metadata.nmae: have an unknown field \"nmae\", need one of name\nhint: did you mean name?"},
		{"another machine", "kubernetes:\n", "os:\n  arch: arm64\nkubernetes:\n", UnknownField, "os.arch: have an unknown field"},
		{"capitals", "metadata:\n", "Metadata:\n", UnknownField, "did you mean metadata?"},
		{"a field like nothing", "name: demo", "name: demo\n  xyzzyxyzzy: x", UnknownField, "need one of name"},
		{"a field twice", "name: demo", "name: demo\n  name: other", DuplicateField, "caisson.yaml:5:3: metadata.name: have it a second time (first on line 4)"},
		{"a missing field", "  version: v1.37.2\n", "", Missing, "kubernetes.version: have nothing"},
		{"a number for text", "version: v1.37.2", "version: 1.37", WrongType, "have a number, need text\nhint: put it in quotes"},
		{"nothing for text", "name: demo", "name:", WrongType, "have nothing, need text"},
		{"a list for text", "name: demo", "name: [demo]", WrongType, "have a list, need text"},
		{"text for a map", "metadata:\n  name: demo", "metadata: demo", WrongType, "metadata: have text, need a map of fields"},
		{"a map for a list", "kind: Enclave", "kind: Enclave\nimages: {ref: x}", WrongType, "have a map of fields, need a list"},
		{"text for a truth", "kind: Enclave", "kind: Enclave\nos: {firmware: \"yes\"}", WrongType, "os.firmware: have text, need true or false"},
		{"a bare dash", "kind: Enclave", "kind: Enclave\nimages:\n  -\n", WrongType, "images[0]: have nothing"},
		{"a size in GB", "kind: Enclave", "kind: Enclave\nnodes: [{name: a, role: worker, disk: {minSize: 64 GB}}]", BadValue, "nodes[0].disk.minSize"},
		{"a control character", "name: demo", `name: "de\u001bmo"`, BadValue, "control character U+001B"},
		{"a field name with control characters", "name: demo", "name: demo\n  \"a\\u001b[2J\": x", UnknownField, `metadata["a\x1b[2J"]`},
	} {
		t.Run(c.what, func(t *testing.T) {
			text := strings.Replace(least, c.old, c.new, 1)
			_, err := Parse([]byte(text), "")
			if !c.code.Is(err) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("have %v\nwant %s with %q", err, c.code.Code, c.says)
			}
			if n := len(fault.All(err)); n != 1 && c.what != "capitals" {
				t.Errorf("have %d faults for one mistake: %v", n, err)
			}
		})
	}
}

// TestWholeSpecIsRead sets every field once and compares all of them.
func TestWholeSpecIsRead(t *testing.T) {
	l, err := Load("../examples/rack/caisson.yaml")
	if err != nil {
		t.Fatal(err)
	}
	n := l.Enclave.Nodes[0]
	if n.Disk.MinSize != 128*size.GiB || n.Match.Serial != "CZJ1234A01" || n.Network.Gateway != "172.20.10.1" {
		t.Errorf("node is %+v", n)
	}
	if l.Enclave.Users[0].Admin != true || len(l.Enclave.Users[0].SSHKeys) != 1 || l.Enclave.Registry.Binary.URL == "" {
		t.Errorf("user or registry is %+v %+v", l.Enclave.Users, l.Enclave.Registry)
	}
}

func TestExamplesLoad(t *testing.T) {
	found, err := filepath.Glob("../examples/*/caisson.yaml")
	if err != nil || len(found) < 2 {
		t.Fatalf("found %v, %v", found, err)
	}
	for _, path := range found {
		l, err := Load(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if err := CheckFiles(l); err != nil {
			t.Error(err)
		}
		a, err := LoadAnswers(filepath.Join(filepath.Dir(path), "answers.yaml"))
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := Complete(l.Enclave, a); err != nil {
			t.Error(err)
		}
	}
}

func TestLoadSaysWhichFile(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	if !Unreadable.Is(err) || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("have %v", err)
	}
	if _, err := LoadAnswers(t.TempDir()); !AnswersUnreadable.Is(err) {
		t.Errorf("a folder as answers: have %v", err)
	}
}

func TestCheckFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "there.yaml"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	l := Loaded{Dir: dir, Enclave: Enclave{
		Images:   []Image{{Layout: "there.yaml"}, {Archive: "."}, {Archive: "there.yaml"}},
		Registry: Registry{Binary: &FileSource{Path: filepath.Join(dir, "zot"), Checksum: "sums"}},
	}}
	err := CheckFiles(l)
	for _, path := range []string{"images[0].layout", "images[1].archive", "registry.binary.path", "registry.binary.checksum"} {
		if !strings.Contains(err.Error(), path) {
			t.Errorf("nothing said of %s in %v", path, err)
		}
	}
	if n := len(fault.All(err)); n != 4 || !NoFile.Is(err) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("have %d faults, want 4 of SPEC-NO-FILE: %v", n, err)
	}
	l.Enclave.Registry.Binary.Checksum = "https://x/sums" // not looked for here
	if err := CheckFiles(l); strings.Contains(err.Error(), "checksum") {
		t.Errorf("a checksum file on a server: %v", err)
	}
	l, err = Parse([]byte(least+"images:\n  - ref: a/b:1\n    archive: gone.tar\n"), dir)
	if err != nil {
		t.Fatal(err)
	}
	want := "SPEC-NO-FILE: cannot read caisson.yaml:13:5: images[0].archive: have " + filepath.Join(dir, "gone.tar") + ": no such file or directory, need a regular file"
	if err := CheckFiles(l); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("have %v\nwant %s", err, want)
	}
}

// FuzzParse: no input makes the reader crash, hang or give a Spec that its own
// checks refuse; what is refused has a code.
func FuzzParse(f *testing.F) {
	f.Add([]byte(least))
	for _, path := range []string{"testdata/many-errors.yaml", "../examples/demo/caisson.yaml", "../examples/rack/caisson.yaml"} {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := Parse(raw, "")
		if err != nil {
			if len(fault.All(err)) == 0 {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		if err := Validate(l.Enclave); err != nil {
			t.Fatalf("accepted, and then not: %v", err)
		}
		if !bytes.Equal(l.Raw, raw) {
			t.Fatal("bytes changed")
		}
	})
}

// FuzzParseAnswers is FuzzParse for the file that comes from a stick.
func FuzzParseAnswers(f *testing.F) {
	for _, path := range []string{"../examples/demo/answers.yaml", "../examples/rack/answers.yaml"} {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := ParseAnswers(raw)
		if err != nil {
			if len(fault.All(err)) == 0 {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		if err := ValidateAnswers(a); err != nil {
			t.Fatalf("accepted, and then not: %v", err)
		}
	})
}
