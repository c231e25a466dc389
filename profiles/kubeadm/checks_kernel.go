package kubeadm

import (
	"os"
	"path/filepath"
	"strings"

	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/host"
)

// kernel is a check of one setting of the running kernel (proc_sys(5)).
func kernel(s host.Sysctl) test {
	want := s.Name + " = " + s.Value
	return func(root string) profiles.Result {
		base := filepath.Join(root, "proc/sys")
		paths, err := filepath.Glob(filepath.Join(base, strings.ReplaceAll(s.Name, ".", "/")))
		if err != nil {
			return unreadable(err, want)
		}
		if len(paths) == 0 {
			return verdict(false, s.Name+" is not there", want)
		}
		for _, p := range paths {
			raw, err := os.ReadFile(p)
			if err != nil {
				return unreadable(err, want)
			}
			if have := strings.TrimSpace(string(raw)); have != s.Value {
				name := strings.TrimPrefix(strings.TrimPrefix(p, base), "/")
				return verdict(false, strings.ReplaceAll(name, "/", ".")+" = "+have, want)
			}
		}
		return verdict(true, want, want)
	}
}

func kernelLines() []line {
	all, err := host.Sysctls(false)
	if err != nil {
		return []line{{"C.2", "The settings of the kernel are known", func(string) profiles.Result {
			return unreadable(err, "files that can be read")
		}}}
	}
	var out []line
	for _, s := range all {
		out = append(out, line{"C.2." + s.Name, "The running kernel has " + s.Name + " = " + s.Value, kernel(s)})
	}
	return out
}
