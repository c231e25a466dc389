package plan

import (
	"strings"
	"testing"
)

// TestCheckConfig: a configuration brings all that it names, wherever in it a
// source is, and Ignition's own parser takes it.
func TestCheckConfig(t *testing.T) {
	file := func(contents string) string {
		return `{"ignition":{"version":"3.5.0"},"storage":{"files":[{"path":"/a","contents":{"source":"data:,a"}},{"path":"/b",` + contents + `}]}}`
	}
	const remote, hash = "https://out.example/x", "sha512-" + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, c := range []struct{ name, config, says string }{
		{"nothing", `{"ignition":{"version":"3.5.0"}}`, ""},
		{"data", file(`"contents":{"source":"data:,hello"}`), ""},
		{"data in base64", file(`"contents":{"source":"data:;base64,aGVsbG8="}`), ""},
		{"data in capitals", file(`"contents":{"source":"DATA:,hello"}`), "Ignition says"},
		{"an empty file", file(`"contents":{}`), ""},
		{"an older version", `{"ignition":{"version":"3.0.0"}}`, ""},
		{"https", file(`"contents":{"source":"` + remote + `"}`), remote},
		{"https with its hash", file(`"contents":{"source":"` + remote + `","verification":{"hash":"` + hash + `"}}`), remote},
		{"a source that is appended", file(`"append":[{"source":"data:,x"},{"source":"` + remote + `"}]`), remote},
		{"another config that is merged", `{"ignition":{"version":"3.5.0","config":{"merge":[{"source":"` + remote + `"}]}}}`, remote},
		{"another config instead", `{"ignition":{"version":"3.5.0","config":{"replace":{"source":"tftp://10.0.0.1/x"}}}}`, "tftp://10.0.0.1/x"},
		{"a certificate authority", `{"ignition":{"version":"3.5.0","security":{"tls":{"certificateAuthorities":[{"source":"` + remote + `"}]}}}}`, remote},
		{"a key file", `{"ignition":{"version":"3.5.0"},"storage":{"luks":[{"name":"x","device":"/dev/vdb","keyFile":{"source":"` + remote + `"}}]}}`, remote},
		{"not JSON", "files: []", "Ignition says"},
		{"no version", `{"storage":{}}`, "Ignition says"},
		{"a later version", `{"ignition":{"version":"9.9.9"}}`, "Ignition says"},
		{"a relative path", strings.ReplaceAll(file(`"contents":{}`), "/b", "b"), "Ignition says"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := checkConfig([]byte(c.config))
			if c.says == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if c.says != "" && (!ConfigRefused.Is(err) || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("have %v, want CONFIG-REFUSED with %q", err, c.says)
			}
		})
	}
}
