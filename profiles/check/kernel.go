package check

import (
	"os"
	"path/filepath"
	"strings"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
)

// Kernel is a check of one setting of the running kernel (proc_sys(5)).
func Kernel(s host.Sysctl) Test {
	want := s.Name + " = " + s.Value
	return func(root string) profiles.Result {
		base := filepath.Join(root, "proc/sys")
		paths, err := filepath.Glob(filepath.Join(base, strings.ReplaceAll(s.Name, ".", "/")))
		if err != nil {
			return Unreadable(err, want)
		}
		if len(paths) == 0 {
			return Verdict(false, s.Name+" is not there", want)
		}
		for _, p := range paths {
			raw, err := os.ReadFile(p)
			if err != nil {
				return Unreadable(err, want)
			}
			if have := strings.TrimSpace(string(raw)); have != s.Value {
				name := strings.TrimPrefix(strings.TrimPrefix(p, base), "/")
				return Verdict(false, strings.ReplaceAll(name, "/", ".")+" = "+have, want)
			}
		}
		return Verdict(true, want, want)
	}
}
