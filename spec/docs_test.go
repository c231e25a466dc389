package spec

import (
	"bytes"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// leavesOf lists the paths of all fields of a type that hold a value, with []
// for a list entry: nodes[].network.address.
func leavesOf(t reflect.Type, path string) []string {
	switch {
	case t.Kind() == reflect.Pointer:
		return leavesOf(t.Elem(), path)
	case t.Kind() == reflect.Slice:
		return leavesOf(t.Elem(), path+"[]")
	case t.Kind() != reflect.Struct:
		return []string{path}
	}
	var out []string
	fields := fieldsOf(t)
	for _, name := range fields.names {
		out = append(out, leavesOf(t.Field(fields.byName[name].index).Type, child(path, name))...)
	}
	return out
}

var row = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")

// TestEveryFieldIsDocumented compares the first column of docs/spec.md with the
// types, both ways.
func TestEveryFieldIsDocumented(t *testing.T) {
	raw, err := os.ReadFile("../docs/spec.md")
	if err != nil {
		t.Fatal(err)
	}
	enclave, answers, ok := strings.Cut(string(raw), "\n## Answers\n")
	if !ok {
		t.Fatal("docs/spec.md has no section Answers")
	}
	for name, c := range map[string]struct {
		text  string
		value any
	}{"Spec": {enclave, Enclave{}}, "Answers": {answers, Answers{}}} {
		var documented []string
		for _, m := range row.FindAllStringSubmatch(c.text, -1) {
			documented = append(documented, m[1])
		}
		known := leavesOf(reflect.TypeOf(c.value), "")
		for _, path := range known {
			if !slices.Contains(documented, path) {
				t.Errorf("docs/spec.md, %s: the field %s is not in a table", name, path)
			}
		}
		for _, path := range documented {
			if !slices.Contains(known, path) {
				t.Errorf("docs/spec.md, %s: there is no field %s", name, path)
			}
		}
	}
}

// TestDocumentedDefaultsAreReal compares the last column with what Default does.
func TestDocumentedDefaultsAreReal(t *testing.T) {
	raw, err := os.ReadFile("../docs/spec.md")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"os.base": DefaultBase, "os.mirror": DefaultMirror, "os.security": DefaultSecurity, "os.firmware": "true", "os.microcode": "true",
		"kubernetes.source": SourceModules, "kubernetes.cni[]": DefaultCNI, "kubernetes.ingress[]": DefaultIngress, "registry.engine": DefaultEngine, "network.podCIDR": DefaultPodCIDR,
		"network.serviceCIDR": DefaultServiceCIDR, "after": DefaultAfter,
		"nodes[].network.bond.mode": BondActiveBackup, "network.bond.mode": BondActiveBackup,
	} {
		line := regexp.MustCompile("(?m)^\\| `" + regexp.QuoteMeta(path) + "` .* \\| `" + regexp.QuoteMeta(want) + "` \\|$")
		if !line.Match(raw) {
			t.Errorf("docs/spec.md does not give %s the default %s", path, want)
		}
	}
}

// TestDocumentedFilesAreRead reads every YAML block of the page.
func TestDocumentedFilesAreRead(t *testing.T) {
	raw, err := os.ReadFile("../docs/spec.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(raw, -1)
	if len(blocks) < 2 {
		t.Fatalf("found %d blocks", len(blocks))
	}
	for _, b := range blocks {
		if bytes.Contains(b[1], []byte("kind: Answers")) {
			_, err = ParseAnswers(b[1])
		} else {
			_, err = Parse(b[1], "")
		}
		if err != nil {
			t.Errorf("%v in\n%s", err, b[1])
		}
	}
}

// TestEveryFieldIsDecoded writes a file that sets each field of a type in turn
// and demands that the field, and only it, arrives: no field type without a
// decoder, no tag with a slip.
func TestEveryFieldIsDecoded(t *testing.T) {
	for _, value := range []any{Enclave{}, Answers{}} {
		typ := reflect.TypeOf(value)
		fresh := reflect.New(typ)
		where := map[string]position{}
		p := &problems{codes: enclaveCodes}
		text := sample(typ)
		node := p.document([]byte(text), where)
		if node == nil {
			t.Fatalf("%v in\n%s", p.join("", nil), text)
		}
		d := decoder{problems: p, where: where}
		d.value(node, fresh.Elem(), "")
		if err := p.join("", nil); err != nil {
			t.Fatal(err)
		}
		empty := map[string]bool{}
		zeros(fresh.Elem(), "", empty)
		for _, path := range slices.Sorted(maps.Keys(empty)) {
			t.Errorf("%s did not arrive", path)
		}
	}
}

// sample is YAML in flow form with a value for every field of t.
func sample(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return sample(t.Elem())
	case reflect.Slice:
		return "[" + sample(t.Elem()) + "]"
	case reflect.Bool:
		return "true"
	case reflect.Int64:
		return "4096"
	case reflect.Int:
		return "7"
	case reflect.String:
		return "text"
	case reflect.Map:
		return "{key: [text, 7, true]}"
	}
	var out []string
	fields := fieldsOf(t)
	for _, name := range fields.names {
		out = append(out, name+": "+sample(t.Field(fields.byName[name].index).Type))
	}
	return "{" + strings.Join(out, ", ") + "}"
}

// zeros notes the paths of all fields that hold nothing.
func zeros(v reflect.Value, path string, out map[string]bool) {
	switch {
	case v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0:
		out[path] = true
	case v.Kind() == reflect.Pointer:
		zeros(v.Elem(), path, out)
	case v.Kind() == reflect.Slice:
		zeros(v.Index(0), path+"[]", out)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			zeros(v.Field(i), child(path, v.Type().Field(i).Name), out)
		}
	}
}
