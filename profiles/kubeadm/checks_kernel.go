package kubeadm

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"caisson.dev/caisson/profiles"
)

// sysctl is one setting of the files in tree/all/etc/sysctl.d; a * in its name
// stands for every network interface (sysctl.d(5)).
type sysctl struct{ name, value string }

// sysctls reads the very files that the node gets, so that nothing is set and
// not checked. They are in the program: an error is a defect of it.
func sysctls() ([]sysctl, error) {
	files, err := fs.Glob(tree, "tree/all/etc/sysctl.d/*.conf")
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var out []sysctl
	for _, f := range files {
		raw, err := tree.ReadFile(f)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(raw)) {
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' {
				continue
			}
			name, value, ok := strings.Cut(line, "=")
			if name = strings.TrimSpace(name); !ok || name == "" || name[0] == '-' || strings.ContainsAny(name, "/ ") {
				return nil, fmt.Errorf("%s has %q, need NAME = VALUE with dots in the name", f, line)
			}
			out = append(out, sysctl{name, strings.TrimSpace(value)})
		}
	}
	return out, nil
}

// kernel is a check of one setting of the running kernel (proc_sys(5)).
func kernel(s sysctl) test {
	want := s.name + " = " + s.value
	return func(root string) profiles.Result {
		base := filepath.Join(root, "proc/sys")
		paths, err := filepath.Glob(filepath.Join(base, strings.ReplaceAll(s.name, ".", "/")))
		if err != nil {
			return unreadable(err, want)
		}
		if len(paths) == 0 {
			return verdict(false, s.name+" is not there", want)
		}
		for _, p := range paths {
			raw, err := os.ReadFile(p)
			if err != nil {
				return unreadable(err, want)
			}
			if have := strings.TrimSpace(string(raw)); have != s.value {
				name := strings.TrimPrefix(strings.TrimPrefix(p, base), "/")
				return verdict(false, strings.ReplaceAll(name, "/", ".")+" = "+have, want)
			}
		}
		return verdict(true, want, want)
	}
}

func kernelLines() []line {
	all, err := sysctls()
	if err != nil {
		return []line{{"C.2", "The settings of the kernel are known", func(string) profiles.Result {
			return unreadable(err, "files that can be read")
		}}}
	}
	var out []line
	for _, s := range all {
		out = append(out, line{"C.2." + s.name, "The running kernel has " + s.name + " = " + s.value, kernel(s)})
	}
	return out
}
