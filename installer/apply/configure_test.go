package apply

import "testing"

func TestUnsecret(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"Full config:", ""},
		{`        "passwordHash": "$6$salt$abc",`, ""},
		{`DEBUG    : files: op(1): executing: "useradd" "--password" "$y$j9T$abc$def" "ops"`, ""},
		{`CRITICAL : cannot run "useradd" "--password" "$y$j9T$abc$def" "ops": exit status 9`,
			`CRITICAL : cannot run "useradd" "--password" "(hash not shown)" "ops": exit status 9`},
	} {
		if got := unsecret(c.line); got != c.want {
			t.Errorf("%q is shown as %q, want %q", c.line, got, c.want)
		}
	}
}
