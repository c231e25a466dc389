package golden

import "testing"

// TestBeside: what variants share is said once, what is gone or new is seen, and
// so is another order of the same lines.
func TestBeside(t *testing.T) {
	base := map[string]string{"/a": "1\n2\n", "/b": "x\n"}
	var b Beside
	b.Add("server", "v1", base, map[string]string{"/a": "2\n1\n", "/b": "x\n"})
	b.Add("server", "v2", base, base)
	b.Add("agent", "v1", base, map[string]string{"/a": "2\n1\n", "/c": ""})
	b.Add("agent", "v2", base, map[string]string{"/a": "2\n1\n", "/b": "x\n"})
	want := `What.

Without a difference:
server: v2
-- /a --
server: v1
agent: every version (2)

@@ -1,2 +1,2 @@
-1
 2
+1
-- /b --
agent: v1

gone
-- /c --
agent: v1

`
	if got := string(b.Archive("What.\n")); got != want {
		t.Errorf("have\n%s\nneed\n%s", got, want)
	}
}
