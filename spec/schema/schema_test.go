package schema

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"
	judge "github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"

	_ "caisson.dev/caisson/internal/golden" // declares -update
	"caisson.dev/caisson/internal/size"
	"caisson.dev/caisson/spec"
)

const base = "https://caisson.dev/schema/v1alpha1/"

// generate makes a schema from a type: names and required fields from the tags,
// descriptions from the comments beside the fields.
func generate(t *testing.T, value any, name string) []byte {
	t.Helper()
	t.Chdir("..") // the comments are read from the source, by path
	r := &jsonschema.Reflector{
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if t != reflect.TypeFor[size.Bytes]() {
				return nil
			}
			return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
				{Type: "integer", Minimum: "0"},
				{Type: "string", Pattern: `^[0-9.]+ ?(B|KiB|MiB|GiB|TiB)?$`},
			}, Description: "a size: a number of bytes, or a number and B, KiB, MiB, GiB or TiB"}
		},
	}
	if err := r.AddGoComments("caisson.dev/caisson/spec", "."); err != nil {
		t.Fatal(err)
	}
	for k, v := range r.CommentMap {
		r.CommentMap[k] = strings.Join(strings.Fields(v), " ")
	}
	s := r.Reflect(value)
	s.ID = jsonschema.ID(base + name)
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

func TestSchemasAreUpToDate(t *testing.T) {
	for _, c := range []struct {
		name  string
		value any
		have  []byte
	}{
		{"enclave.schema.json", &spec.Enclave{}, Enclave()},
		{"answers.schema.json", &spec.Answers{}, Answers()},
	} {
		t.Run(c.name, func(t *testing.T) {
			here, err := filepath.Abs(c.name)
			if err != nil {
				t.Fatal(err)
			}
			want := generate(t, c.value, c.name)
			if flag.Lookup("update").Value.String() == "true" {
				if err := os.WriteFile(here, want, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(c.have), string(want)); diff != "" {
				t.Errorf("%s differs from the types (-file +types); run go test ./spec/schema -update:\n%s", c.name, diff)
			}
		})
	}
}

// compile reads a schema as another program's library does.
func compile(t *testing.T, raw []byte, name string) *judge.Schema {
	t.Helper()
	doc, err := judge.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := judge.NewCompiler()
	if err := c.AddResource(base+name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(base + name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func check(t *testing.T, s *judge.Schema, raw []byte) error {
	t.Helper()
	asJSON, err := yaml.YAMLToJSONStrict(raw)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := judge.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

// TestExamplesMeetTheSchemas has somebody else's validator and somebody else's
// YAML reader agree with our files.
func TestExamplesMeetTheSchemas(t *testing.T) {
	for file, s := range map[string]*judge.Schema{
		"caisson.yaml": compile(t, Enclave(), "enclave.schema.json"),
		"answers.yaml": compile(t, Answers(), "answers.schema.json"),
	} {
		found, err := filepath.Glob("../../examples/*/" + file)
		if err != nil || len(found) < 2 {
			t.Fatalf("found %d examples named %s, %v", len(found), file, err)
		}
		for _, path := range found {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := check(t, s, raw); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	s := compile(t, Enclave(), "enclave.schema.json")
	raw, err := os.ReadFile("../../examples/demo/caisson.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"an unknown field":     {"metadata:", "metdata:"},
		"a missing field":      {"  version: v1.37.2\n", ""},
		"a value out of range": {"role: control-plane", "role: boss"},
		"a wrong type":         {"firmware: false", "firmware: 3"},
		"another kind":         {"kind: Enclave", "kind: Answers"},
	} {
		changed := bytes.Replace(raw, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(changed, raw) {
			t.Fatalf("%s: the example has no %q", name, change[0])
		}
		if err := check(t, s, changed); err == nil {
			t.Errorf("%s is not refused", name)
		}
	}
}
