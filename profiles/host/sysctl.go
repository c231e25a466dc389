package host

import (
	"fmt"
	"path"
	"strings"
)

// Sysctl is one setting of the files in tree/etc/sysctl.d; a * in its name
// stands for every network interface (sysctl.d(5)).
type Sysctl struct{ Name, Value string }

// Sysctls reads the very files that a node gets, so that nothing is set and not
// checked; loose is Node.LoosePaths. They are in the program: an error is a
// defect of it.
func Sysctls(loose bool) ([]Sysctl, error) {
	files, err := Tree(own, "tree/etc/sysctl.d", Node{LoosePaths: loose}, func(string) uint32 { return 0 })
	if err != nil {
		return nil, err
	}
	var out []Sysctl
	for _, f := range files {
		list, err := ParseSysctls(f.Data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path.Base(f.Path), err)
		}
		out = append(out, list...)
	}
	return out, nil
}

// ParseSysctls reads a file of NAME = VALUE lines, with dots in the names.
func ParseSysctls(raw []byte) ([]Sysctl, error) {
	var out []Sysctl
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if name = strings.TrimSpace(name); !ok || name == "" || name[0] == '-' || strings.ContainsAny(name, "/ ") {
			return nil, fmt.Errorf("have %q, need NAME = VALUE with dots in the name", line)
		}
		out = append(out, Sysctl{name, strings.TrimSpace(value)})
	}
	return out, nil
}
