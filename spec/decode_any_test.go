package spec

import (
	"reflect"
	"strings"
	"testing"

	"caisson.dev/caisson/internal/fault"
)

// TestFreeMap: values of keys that are not ours arrive as they were meant, or
// not at all.
func TestFreeMap(t *testing.T) {
	const head = "apiVersion: caisson.dev/v1alpha1\nkind: Enclave\nmetadata: {name: x}\nkubernetes:\n  profile: rke2-cis\n  version: v1.36.3+rke2r1\n  extra:\n    server: "
	const tail = "\nregistry: {engine: distribution, version: v3.1.2}\n"
	l, err := Parse([]byte(head+`{debug: true, v: 4, write-kubeconfig-mode: "0600", kubelet-arg: [max-pods=50, "7"]}`+tail), "")
	want := map[string]any{"debug": true, "v": int64(4), "write-kubeconfig-mode": "0600", "kubelet-arg": []any{"max-pods=50", "7"}}
	if err != nil || !reflect.DeepEqual(l.Enclave.Kubernetes.Extra.Server, want) {
		t.Errorf("have %v, %v, need %v", l.Enclave.Kubernetes.Extra, err, want)
	}
	for what, c := range map[string]struct {
		text string
		code fault.Kind
		says string
	}{
		"an octal":      {"{write-kubeconfig-mode: 0600}", BadValue, "put it in quotes"},
		"nothing":       {"{debug: }", WrongType, "kubernetes.extra.server.debug"},
		"a map":         {"{a: {b: c}}", WrongType, "kubernetes.extra.server.a"},
		"a list inside": {"{a: [[b]]}", WrongType, "kubernetes.extra.server.a[0]"},
		"a fraction":    {"{a: 1.5}", WrongType, "have a number"},
		"a key twice":   {"{a: b, a: c}", DuplicateField, "a second time"},
		"a list":        {"[a]", WrongType, "a map of keys"},
	} {
		if _, err := Parse([]byte(head+c.text+tail), ""); !c.code.Is(err) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: have %v, need %s with %q", what, err, c.code.Code, c.says)
		}
	}
}
