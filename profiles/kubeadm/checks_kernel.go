package kubeadm

import (
	"caisson.dev/caisson/profiles"
	"caisson.dev/caisson/profiles/check"
	"caisson.dev/caisson/profiles/host"
)

func kernelLines() []line {
	all, err := host.Sysctls(false)
	if err != nil {
		return []line{{"C.2", "The settings of the kernel are known", func(string) profiles.Result {
			return unreadable(err, "files that can be read")
		}}}
	}
	var out []line
	for _, s := range all {
		out = append(out, line{"C.2." + s.Name, "The running kernel has " + s.Name + " = " + s.Value, check.Kernel(s)})
	}
	return out
}
